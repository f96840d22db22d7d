package report

import "github.com/lockbench/lockbench/internal/history"

// PhaseMeasure is one phase of one test. Times are the history's nanoseconds.
type PhaseMeasure struct {
	Name       string
	Begin, End int64
	// Unended is true if the history stops within the phase, TimedOut if the phase ended by its bound.
	Unended, TimedOut bool
	// Faults says what struck, Healed whether it was undone within the phase.
	Faults []string
	Healed bool
	// What is what the acquires met while the fault was in force; empty: Reason says why nobody knows.
	What   What
	Reason string

	// Attempts are the acquires invoked while the fault was in force, Grants those of them that returned ok within that time.
	Attempts, Grants int
	// Fails and Infos are those of them that ended so, at whatever time; Open never ended.
	Fails, Infos, Open int
	// LongestWait is how long one of them waited for its answer, LongestGap how long nobody was granted the
	// lock while the fault was in force.
	LongestWait, LongestGap Span
	// Typical is the median time to a grant within that time.
	Typical Span
	// Refusal is the median time until one of them failed.
	Refusal Span
	// Recovery runs from the end of the heal to the first grant that was asked for after it.
	Recovery Span

	// From and Until bound the time in which the fault was in force: from its being in place to the heal's begin.
	From, Until int64
	healed      int64 // when the heal returned, or 0
}

// Struck reports whether a fault struck in the phase.
func (p *PhaseMeasure) Struck() bool { return len(p.Faults) > 0 }

// phases finds the phases, and in each the time during which its faults are in force: from the first that is
// in place to the first heal.
func phases(ops []history.Op) []PhaseMeasure {
	var all []PhaseMeasure
	var p *PhaseMeasure // the one that is going on
	for i := range ops {
		op := &ops[i]
		switch {
		case !op.IsNemesis():
		case op.F == history.Phase && op.Type == history.Invoke:
			all = append(all, PhaseMeasure{Name: op.Value, Begin: op.Time, Unended: true})
			p = &all[len(all)-1]
		case p == nil:
		case op.F == history.Phase:
			p.End, p.Unended, p.TimedOut = op.Time, false, op.Type == history.Info
			p = nil
		case op.F == history.Heal:
			p.heal(op)
		default:
			p.strike(op)
		}
	}
	last := ops[len(ops)-1].Time
	for i := range all {
		p := &all[i]
		if p.Unended {
			p.End = last
			if i+1 < len(all) {
				p.End = all[i+1].Begin
			}
		}
		if p.Until == 0 {
			p.Until = p.End
		}
	}
	return all
}

func (p *PhaseMeasure) strike(op *history.Op) {
	switch op.Type {
	case history.Invoke:
		text := op.F
		if op.Value != "" {
			text += ": " + op.Value
		}
		if op.F == history.Kill {
			text = op.F + ": " + op.Client
		}
		p.Faults = append(p.Faults, text)
		if p.From == 0 {
			p.From = op.Time
		}
	case history.OK:
		if len(p.Faults) == 1 {
			p.From = op.Time
		}
	default:
		p.Reason = "the fault could not be injected"
		if op.Error != "" {
			p.Reason += ": " + op.Error
		}
	}
}

func (p *PhaseMeasure) heal(op *history.Op) {
	switch {
	case op.Type == history.Invoke && p.Until == 0:
		p.Until = op.Time
	case op.Type == history.OK:
		p.Healed, p.healed = true, op.Time
	}
}
