package plan

import (
	"time"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

// Document puts what the scenario plans into what is saved of a run.
func Document(s scenarios.Scenario, to *results.Run) {
	w := s.Workload
	ttl := time.Duration(w.TTL)
	to.Workload = results.Workload{
		Clients: w.Clients, Workers: w.Workers, Locks: w.Locks, TTL: ttl, Hold: under(w.Hold, ttl), Think: under(w.Think, ttl),
		Rate: w.Rate, AcquireTimeout: time.Duration(w.AcquireTimeout),
		Fencing: string(w.Fencing), Lost: string(w.Lost), Resource: string(w.Resource),
	}
	to.Outline, to.Plan = s.Outline(), nil
	for _, p := range s.Phases {
		planned := results.PlannedPhase{
			Name: p.Name, Drivers: p.Drivers, Alone: p.Alone, Latency: p.Latency, Contended: p.Contended(w),
			For: p.For.Of(ttl), Workload: overridden(to.Workload, p.Workload), Draw: p.Draw,
		}
		for _, f := range p.Faults {
			planned.Faults = append(planned.Faults, document(f, ttl))
		}
		to.Plan = append(to.Plan, planned)
	}
}

// document describes a fault. Times in its settings are never in TTLs.
func document(f scenarios.Fault, ttl time.Duration) results.PlannedFault {
	planned := results.PlannedFault{Name: f.Name, Target: f.Target, Direction: f.Direction, Peers: f.Peers, Settings: f.Settings}
	found, err := faults.Find(f.Name)
	if err != nil { // a scenario that was checked has none such
		return planned
	}
	settings, _ := found.Info().Resolve(f.Settings, ttl, nil)
	planned.Settings = settings.Texts()
	for _, t := range found.Info().Traits {
		planned.Traits = append(planned.Traits, string(t))
	}
	return planned
}

// overridden is the workload of a phase; nil: it is the run's.
func overridden(w results.Workload, o *scenarios.Override) *results.Workload {
	if o == nil {
		return nil
	}
	if o.Clients != nil {
		w.Clients = *o.Clients
	}
	if o.Workers != nil {
		w.Workers = *o.Workers
	}
	if o.Hold != nil {
		w.Hold = under(*o.Hold, w.TTL)
	}
	if o.Think != nil {
		w.Think = under(*o.Think, w.TTL)
	}
	return &w
}

// under resolves a range under a TTL.
func under(r scenarios.Range, ttl time.Duration) results.Range {
	least, most := r.Of(ttl)
	return results.Range{Min: least, Max: most}
}
