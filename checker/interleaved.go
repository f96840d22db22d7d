package checker

import (
	"fmt"
	"slices"
)

// interleaved counts the pairs of unordered grants whose requests, each answered to its worker before its own hold
// ended, reach the resource as A … B … A. Both were held at B's request then, and it takes no clock to see it.
//
// A refused request counts too: it was made, and answered.
type interleaved struct{}

// Name implements Checker.
func (interleaved) Name() string { return "interleaved" }

// turn is a grant's part of the resource's order, from its first such request to its last.
type turn struct{ first, last request }

// check compares each turn with those that are not over when it begins. Two turns that overlap in an order without
// ties have a request of one between two of the other. It takes O(n·w) for n grants, w of which use
// the resource at a time: at most as many as there are workers, if each uses one grant at a time.
func (c interleaved) check(l *lock, f *findings) {
	var open []*turn
	for _, t := range turns(l) {
		open = slices.DeleteFunc(open, func(o *turn) bool { return o.last.Seq < t.first.Seq })
		for _, o := range open {
			a, b := o.first.grant, t.first.grant
			if later(a, b) || later(b, a) {
				continue
			}
			f.counts.Interleaved++
			f.add(finding{
				kinds: []string{c.Name()}, grants: []*grant{a, b}, at: t.first.Served.Time, until: min(o.last.Served.Time, t.last.Served.Time),
				explain: func() string {
					outer, inner := names(a, b)
					return fmt.Sprintf("%s and %s used %s in turns: requests of %s at %s, of %s at %s and of %s again at %s, each answered while its hold was open",
						outer, inner, quoted(l), outer, f.at(o.first.Served), inner, f.at(t.first.Served), outer, f.at(o.last.Served))
				},
			})
		}
		open = append(open, t)
	}
}

// turns lists the turns in the order in which they begin.
func turns(l *lock) []*turn {
	of := map[*grant]*turn{}
	var all []*turn
	for _, r := range l.requests {
		if !r.answered() || !r.grant.covers(r.Answer) {
			continue
		}
		t, ok := of[r.grant]
		if !ok {
			t = &turn{first: r}
			of[r.grant] = t
			all = append(all, t)
		}
		t.last = r
	}
	return all
}
