package checker

import (
	"fmt"

	"github.com/lockbench/lockbench/internal/history"
)

// overlap counts the holds that began while another grant's hold was open, of the same client or not.
type overlap struct{}

// Name implements Checker.
func (overlap) Name() string { return "overlap" }

func (c overlap) check(l *lock, f *findings) {
	for _, o := range l.overlaps {
		f.counts.Overlap++
		f.add(finding{
			kinds: []string{c.Name()}, grants: o.grants(), at: o.second.Return.Time, until: min(o.first().end, o.second.end),
			explain: func() string {
				second, first := names(o.second, o.first())
				return fmt.Sprintf("%s was granted %s at %s while %s, granted it at %s, still held it",
					second, quoted(l), f.at(o.second.Return), first, f.at(o.first().Return))
			},
		})
	}
}

// overlapping is a hold that began while others were open.
type overlapping struct {
	second *grant
	// other is the hold, of those open by the clock, that ended last; own likewise, of those that are open by
	// the order of second's own process. At least one is not nil.
	other, own *grant
}

func (o overlapping) first() *grant {
	if o.other != nil {
		return o.other
	}
	return o.own
}

func (o overlapping) grants() []*grant {
	all := []*grant{o.second}
	for _, g := range []*grant{o.other, o.own} {
		if g != nil {
			all = append(all, g)
		}
	}
	return all
}

// findOverlaps sweeps the holds as they began. Of those that began before, it keeps the one that ends last: if any is
// open, that one is. Holds that are open together overlap each other, so they are marked already, and joined to
// each other; one of them stands for all.
//
// At equal times an end goes before a begin, so that a hold without length overlaps only what is open around it. Of two
// that begin at the same time and go on, one certainly began while the other was open: the second line counts.
// Within a process the lines tell the order at equal times too.
func findOverlaps(grants []*grant) []overlapping {
	var found []overlapping
	var longest, earlier *grant // earlier: of those that began at an earlier time
	own := map[*history.Process]*grant{}
	at := int64(-1)
	for _, g := range grants {
		if !g.held() {
			continue
		}
		if g.Return.Time != at {
			at, earlier = g.Return.Time, longest
		}
		o := overlapping{second: g, other: longest, own: own[g.Process]}
		if g.end == at {
			o.other = earlier
		}
		if o.other != nil && o.other.end <= at {
			o.other = nil
		}
		if o.own != nil && (o.own == o.other || !o.own.covers(g.Return)) {
			o.own = nil
		}
		if o.other != nil || o.own != nil {
			for _, g := range o.grants() {
				g.overlapped = true
			}
			found = append(found, o)
		}
		if longest == nil || g.end > longest.end {
			longest = g
		}
		if p := own[g.Process]; p == nil || p.givenUp().Exists() && (!g.givenUp().Exists() || g.givenUp().Line > p.givenUp().Line) {
			own[g.Process] = g
		}
	}
	return found
}
