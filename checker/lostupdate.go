package checker

import "github.com/lockbench/lockbench/checker/history"

// lostUpdate counts a read-modify-write that was applied although its base was no longer the item's version.
func (s *sweep) lostUpdate(g *grant, r *history.Request) {
	s.counts.LostUpdate++
	s.incidents.add(&finding{
		kind: lostKind, grants: []*grant{g, g.lock.writer}, requests: []*history.Request{r, g.lock.written},
		at: r.Served.Time, until: r.Served.Time, order: [2]uint64{r.Seq},
	})
}
