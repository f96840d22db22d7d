package checker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/internal/history"
)

// staleWrite counts the writes of a grant that were applied after a later grant's request was served. Those of class
// delayed were sent in good faith by the only holder, and only arrived late: they show that a fence is missing,
// not that the lock is broken.
type staleWrite struct{}

// Name implements Checker.
func (staleWrite) Name() string { return "stale_write" }

func (c staleWrite) check(l *lock, f *findings) {
	seen := newArrivals(l)
	served := firstServed(l)
	for _, r := range l.requests {
		if r.Rejected {
			continue
		}
		if newer := seen.laterThan(r.grant); newer != nil && r.F == history.Write {
			f.counts.StaleWrite++
			kinds := []string{c.Name()}
			if delayed(l, r, served) {
				f.counts.StaleDelayed++
				kinds = append(kinds, "stale_delayed")
			}
			f.add(finding{
				kinds: kinds, grants: []*grant{r.grant, newer}, at: r.Served.Time, until: r.Served.Time,
				explain: func() string {
					writer, holder := names(r.grant, newer)
					return fmt.Sprintf("%s, granted %s at %s, wrote it at %s (version %d), after a request of %s, which is the later holder, granted it at %s",
						writer, quoted(l), f.at(r.grant.Return), f.at(r.Served), r.Version.V, holder, f.at(newer.Return))
				},
			})
		}
		seen.add(r.grant)
	}
}

// firstServed is, for each grant, where its first served request stands in the resource's order.
func firstServed(l *lock) map[*grant]uint64 {
	first := map[*grant]uint64{}
	for _, r := range l.requests {
		if _, ok := first[r.grant]; !ok && !r.Rejected {
			first[r.grant] = r.Seq
		}
	}
	return first
}

// delayed reports whether the stale write r was invoked inside its grant's hold, before the return of every later grant
// whose request came first, and that hold overlapped no other.
//
// Only grants that returned between the invoke of r's acquire and that of r can speak against it: one that
// returned before was not later, one that returned after is no objection. They are few, for the acquires of a process
// follow each other. None of r's own process returned after r was invoked: it asks for nothing while r is unanswered.
func delayed(l *lock, r request, served map[*grant]uint64) bool {
	if r.grant.overlapped || !r.grant.covers(r.Invoke) {
		return false
	}
	from, _ := slices.BinarySearchFunc(l.grants, r.grant.Invoke.Time, func(g *grant, t int64) int { return cmp.Compare(g.Return.Time, t) })
	for _, g := range l.grants[from:] {
		if g.Return.Time > r.Invoke.Time {
			break
		}
		if seq, ok := served[g]; ok && seq < r.Seq && later(g, r.grant) {
			return false
		}
	}
	return true
}
