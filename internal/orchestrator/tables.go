package orchestrator

import (
	"slices"
	"time"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

const (
	// crowd is how many workers for each lock make a contention worth a table.
	crowd = 8
	// reign is how many TTLs a hold must be meant to last at least for its holder to be a leader: longer than a task that
	// overruns its lease.
	reign = 3
)

// tables lists what a report shows beside the comparison: what the workload makes happen often enough to be measured.
// Six workers that meet now and then, as in the scenarios that break locks, are no contention.
func tables(s scenarios.Scenario) []results.Table {
	var all []results.Table
	w := s.Workload
	crowded := false
	for _, p := range s.Phases {
		clients, workers := w.Clients, w.Workers
		if o := p.Workload; o != nil && o.Clients != nil {
			clients = *o.Clients
		}
		if o := p.Workload; o != nil && o.Workers != nil {
			workers = *o.Workers
		}
		crowded = crowded || len(p.Faults) == 0 && clients*workers >= crowd*w.Locks
	}
	if crowded {
		all = append(all, results.Contention)
	}
	if w.OppositeOrder {
		all = append(all, results.Deadlocks)
	}
	ttl := time.Duration(w.TTL)
	if shortest, _ := w.Hold.Of(ttl); shortest >= reign*ttl {
		all = append(all, results.Leadership)
	}
	if slices.ContainsFunc(s.Phases, movesClocks) {
		all = append(all, results.Clocks)
	}
	return all
}

// movesClocks reports whether a phase has a fault that moves clocks.
func movesClocks(p scenarios.Phase) bool {
	return slices.ContainsFunc(p.Faults, func(f scenarios.Fault) bool {
		return slices.Contains([]string{faults.ClockJump{}.Info().Name, faults.ClockDrift{}.Info().Name, faults.ClockStrobe{}.Info().Name}, f.Name)
	})
}
