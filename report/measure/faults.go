package measure

import (
	"slices"

	"github.com/lockbench/lockbench/checker/history"
)

// InjectedFault is one injection of a fault. Times are the history's nanoseconds.
type InjectedFault struct {
	// Name is that of the fault ("partition").
	Name string
	// Fault says whom it hit, and how.
	history.Fault
	// From is when it was in place, or when it was to be injected if nobody knows whether it was.
	From int64
	// To is when its heal began, 0 if none did. Healed is true if the heal was done.
	To     int64
	Healed bool
	// Error says why it may not have been injected.
	Error string
}

// String names the fault with whom it hit.
func (f InjectedFault) String() string {
	if said := f.Fault.String(); said != "" {
		return f.Name + ": " + said
	}
	return f.Name
}

// nemesis takes one line of the nemesis.
func (p *pass) nemesis(op *history.Op) error {
	switch {
	case op.F == history.Phase && op.Type == history.Invoke:
		if err := p.endPhase(op.Time); err != nil {
			return err
		}
		p.beginPhase(op)
	case p.phase == nil || history.Outside(op.F):
	case op.F == history.Phase:
		p.phase.Unended, p.phase.TimedOut = false, op.Type == history.Info
		return p.endPhase(op.Time)
	case op.F == history.Heal:
		p.heal(op)
	default:
		p.inject(op)
	}
	return nil
}

// inject takes a line about a fault. A phase's fault is in force from when the first one is in place.
func (p *pass) inject(op *history.Op) {
	w := p.phase
	switch op.Type {
	case history.Invoke:
		p.struck.begin(op)
		f := InjectedFault{Name: op.F, From: op.Time}
		if op.Fault != nil {
			f.Fault = *op.Fault
		}
		if op.F == history.Kill {
			f.Role, f.Hosts = op.Client, []string{op.Client}
		}
		w.Faults = append(w.Faults, f)
		if len(w.Faults) == 1 {
			w.begin(p, op.Time)
		}
	case history.OK:
		p.struck.place(op)
		if len(w.Faults) == 1 {
			w.begin(p, op.Time)
		}
		if f := w.fault(op); f != nil {
			f.From = op.Time
		}
		if p.clockFaults[op.F] {
			p.clocksMoved(op.Time)
		}
	default:
		w.Reason = "the fault could not be injected"
		if op.Error != "" {
			w.Reason += ": " + op.Error
		}
		if f := w.fault(op); f != nil {
			f.Error = op.Error
		}
	}
}

// fault finds the newest one that a line is about, or nil.
func (w *phaseWatch) fault(op *history.Op) *InjectedFault {
	for i := len(w.Faults) - 1; i >= 0; i-- {
		if f := &w.Faults[i]; f.Name == op.F && f.Step == op.StepOf() && (f.Step != 0 || op.Fault == nil || f.Fault.String() == op.Fault.String()) {
			return f
		}
	}
	return nil
}

// heal takes a line about a heal. The faults of a phase are in force until its first one begins.
func (p *pass) heal(op *history.Op) {
	w := p.phase
	p.struck.heal(op.StepOf(), op.Time)
	switch op.Type {
	case history.Invoke:
		w.until = min(w.until, op.Time)
	case history.OK:
		w.Healed, w.healed, w.recovered = true, op.Time, 0
	}
	step := op.StepOf()
	if !slices.ContainsFunc(p.phases, func(w *phaseWatch) bool {
		return slices.ContainsFunc(w.Faults, func(f InjectedFault) bool { return !f.Healed && f.Step == step })
	}) {
		step = 0 // a step that no open fault has: it heals all, as for the checker
	}
	for _, w := range p.phases {
		for i := range w.Faults {
			f := &w.Faults[i]
			if f.Healed || step != 0 && f.Step != step {
				continue
			}
			if f.To == 0 {
				f.To = op.Time
			}
			f.Healed = op.Type == history.OK
		}
	}
}
