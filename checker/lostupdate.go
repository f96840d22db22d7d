package checker

import (
	"fmt"

	"github.com/lockbench/lockbench/internal/history"
)

// lostUpdate counts the read-modify-writes that were applied although their base was no longer the item's version.
type lostUpdate struct{}

// Name implements Checker.
func (lostUpdate) Name() string { return "lost_update" }

func (c lostUpdate) check(l *lock, f *findings) {
	var last request // the write that made the item's version
	for _, r := range l.requests {
		if r.F != history.Write || r.Rejected {
			continue
		}
		// The item starts at version 0, so what a base of another version overwrote has a writer.
		if overwritten := last; r.Base.V+1 != r.Version.V {
			f.counts.LostUpdate++
			f.add(finding{
				kinds: []string{c.Name()}, grants: []*grant{r.grant, overwritten.grant}, at: r.Served.Time, until: r.Served.Time,
				explain: func() string {
					writer, victim := names(r.grant, overwritten.grant)
					return fmt.Sprintf("the write of %s to %s at %s was based on version %d and overwrote version %d, written by %s at %s",
						writer, quoted(l), f.at(r.Served), r.Base.V, overwritten.Version.V, victim, f.at(overwritten.Served))
				},
			})
		}
		last = r
	}
}
