package plan

import (
	"slices"
	"time"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

const (
	// contendingWorkers is how many workers for each lock make contention worth a table.
	contendingWorkers = 8
	// leaderTTLs is how many TTLs a hold lasts at least if its holder is a leader. A task that overruns its lease is
	// shorter.
	leaderTTLs = 3
)

// Tables lists what a report shows beside the comparison: what the workload makes happen often enough to be measured.
// Six workers that meet now and then, as in the scenarios that break locks, are no contention.
func Tables(s scenarios.Scenario) []results.Table {
	var all []results.Table
	w := s.Workload
	contended := false
	for _, p := range s.Phases {
		clients, workers := w.Clients, w.Workers
		if o := p.Workload; o != nil && o.Clients != nil {
			clients = *o.Clients
		}
		if o := p.Workload; o != nil && o.Workers != nil {
			workers = *o.Workers
		}
		contended = contended || len(p.Faults) == 0 && clients*workers >= contendingWorkers*w.Locks
	}
	if contended {
		all = append(all, results.Contention)
	}
	if w.OppositeOrder {
		all = append(all, results.Deadlocks)
	}
	ttl := time.Duration(w.TTL)
	if shortest, _ := w.Hold.Of(ttl); shortest >= leaderTTLs*ttl {
		all = append(all, results.Leadership)
	}
	if slices.ContainsFunc(s.Phases, movesClocks) {
		all = append(all, results.Clocks)
	}
	return all
}

// movesClocks reports whether a phase has a fault that moves clocks.
func movesClocks(p scenarios.Phase) bool {
	return slices.ContainsFunc(p.Faults, func(f scenarios.Fault) bool { return HasTrait(f, faults.MovesClocks) })
}
