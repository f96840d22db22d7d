package checker

import (
	"fmt"

	"github.com/lockbench/lockbench/internal/history"
)

// lostUpdate counts a read-modify-write that was applied although its base was no longer the item's version.
func (s *sweep) lostUpdate(g *grant, r *history.Request) {
	overwritten, victim := g.lock.written, g.lock.writer
	s.counts.LostUpdate++
	s.incidents.add(finding{
		kind: lostKind, grants: []*grant{g, victim}, at: r.Served.Time, until: r.Served.Time, order: [2]uint64{r.Seq},
		explain: func(at clock) string {
			writer, loser := names(g, victim)
			return fmt.Sprintf("the write of %s to %s at %s was based on version %d and overwrote version %d, written by %s at %s",
				writer, quoted(g.lock), at(r.Served), r.Base.V, overwritten.Version.V, loser, at(overwritten.Served))
		},
	})
}
