package results

import (
	"fmt"
	"slices"
	"time"
)

// Workload is how much load there is, and of what kind. Times that a scenario gives in TTLs are resolved.
type Workload struct {
	// Clients is the number of client processes, Workers of workers in each, Locks of locks.
	Clients int           `json:"clients"`
	Workers int           `json:"workers"`
	Locks   int           `json:"locks"`
	TTL     time.Duration `json:"ttl_ns"`
	Hold    Range         `json:"hold"`
	Think   Range         `json:"think"`
	// Rate is the number of acquires per second of all workers together; 0: a closed loop.
	Rate           float64       `json:"rate,omitempty"`
	AcquireTimeout time.Duration `json:"acquire_timeout_ns"`
	// Fencing is "fenced", "unfenced" or "both", Lost "heeding", "ignoring" or "both".
	Fencing string `json:"fencing"`
	Lost    string `json:"lost"`
	// Resource is where the protected data lives; empty: in a store of its own.
	Resource string `json:"resource,omitempty"`
}

// Range is a time that is drawn evenly between two.
type Range struct {
	Min time.Duration `json:"min_ns"`
	Max time.Duration `json:"max_ns"`
}

// String writes the range as scenarios do.
func (r Range) String() string {
	if r.Min == r.Max {
		return r.Min.String()
	}
	return r.Min.String() + ".." + r.Max.String()
}

// PlannedPhase is one phase of the scenario.
type PlannedPhase struct {
	Name string `json:"name"`
	// Drivers are those that run the phase; empty: all.
	Drivers []string `json:"drivers,omitempty"`
	// Alone is true if no other driver runs meanwhile.
	Alone bool `json:"alone,omitempty"`
	// Latency is true if the phase measures uncontended acquires, Contended if it measures contended ones: it runs
	// alone, without a fault, with several workers.
	Latency   bool `json:"latency,omitempty"`
	Contended bool `json:"contended,omitempty"`
	// For is how long the phase lasts, or how long it lasts at least after its last fault was injected.
	For time.Duration `json:"for_ns"`
	// Workload is what the phase has instead of the run's; nil: the run's.
	Workload *Workload `json:"workload,omitempty"`
	// Faults are injected one after another or, if Draw is not 0, as many of them as that are drawn.
	Faults []PlannedFault `json:"faults,omitempty"`
	Draw   int            `json:"draw,omitempty"`
}

// PlannedFault is one fault of a phase, before anybody knows which hosts it hits.
type PlannedFault struct {
	Name string `json:"name"`
	// Target is a role or the name of a host, and so are Peers.
	Target    string   `json:"target"`
	Direction string   `json:"direction,omitempty"`
	Peers     []string `json:"peers,omitempty"`
	// Settings are the fault's own, as a scenario writes them.
	Settings map[string]string `json:"settings,omitempty"`
	// Traits are what the fault says of itself ("moves-clocks").
	Traits []string `json:"traits,omitempty"`
}

// Sweep is one value of a scenario that was changed.
type Sweep struct {
	Path  string `json:"path"` // as YAML paths are written ("$.workload.ttl")
	Value string `json:"value"`
}

// String is "$.workload.ttl = 2s"; of no sweep it is empty.
func (s *Sweep) String() string {
	if s == nil {
		return ""
	}
	return s.Path + " = " + s.Value
}

// Planned is the phase of the plan; without one of that name it is empty but for the name.
func (r *Run) Planned(name string) PlannedPhase {
	if i := slices.IndexFunc(r.Plan, func(p PlannedPhase) bool { return p.Name == name }); i >= 0 {
		return r.Plan[i]
	}
	return PlannedPhase{Name: name}
}

// FaultsWith names the faults of the plan that have the trait.
func (r *Run) FaultsWith(trait string) map[string]bool {
	names := map[string]bool{}
	for _, p := range r.Plan {
		for _, f := range p.Faults {
			if slices.Contains(f.Traits, trait) {
				names[f.Name] = true
			}
		}
	}
	return names
}

// OutlineSetting is the setting that has the run's Outline, and SweepSetting the one that has its Sweep.
const (
	OutlineSetting = "phases"
	SweepSetting   = "sweep"
)

// Settings are the workload, the outline and the sweep by the names of flags, for a reader to see and to compare.
// What the run does not say is left out.
func (r *Run) Settings() map[string]string {
	w, all := r.Workload, map[string]string{}
	add := func(name string, given bool, value any) {
		if given {
			all[name] = fmt.Sprint(value)
		}
	}
	add("clients", w.Clients > 0, w.Clients)
	add("workers", w.Workers > 0, w.Workers)
	add("locks", w.Locks > 0, w.Locks)
	add("ttl", w.TTL > 0, w.TTL)
	add("hold", w.Hold.Max > 0 || w.Fencing != "", w.Hold) // every run says the latter
	add("think", w.Think.Max > 0 || w.Fencing != "", w.Think)
	add("rate", w.Rate > 0, fmt.Sprintf("%g/s", w.Rate))
	add("acquire-timeout", w.AcquireTimeout > 0, w.AcquireTimeout)
	add("fencing", w.Fencing != "", w.Fencing)
	add("lost", w.Lost != "", w.Lost)
	add("resource", w.Resource != "", w.Resource)
	add(OutlineSetting, r.Outline != "", r.Outline)
	if r.Sweep != nil {
		all[SweepSetting] = r.Sweep.String()
	}
	return all
}
