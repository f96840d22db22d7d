package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
)

// What is what a lock did while a fault was in force, in words.
type What string

// The behaviours, from the worst.
const (
	// LetsTwoIn: an incident that breaks mutual exclusion began in the phase.
	LetsTwoIn What = "lets two in"
	// Blocks: acquires were asked for, none was granted.
	Blocks What = "blocks"
	// FailsFast: like Blocks, and half of the failures came before a quarter of the acquire time-out had passed.
	FailsFast What = "fails fast"
	// GoesOn: acquires that were asked for during the fault were granted during the fault, or one that was waiting took the
	// lock over from who had it.
	GoesOn What = "goes on"
)

// Behaviour is what a driver's tests measured in one phase.
type Behaviour struct {
	Phase string
	// Absent is true if the scenario leaves the phase to other drivers.
	Absent bool
	// What lists what the driver's tests saw, the worst first; empty: nothing was measured, and State and Reason say why.
	What   []What
	State  State
	Reason string
	// Heeding and Ignoring say with which clients two were let in.
	Heeding, Ignoring bool
	// Incidents are those of mutual exclusion that began in the phase.
	Incidents int
	// Recovery and Gap are the longest of the driver's tests; Recovery is not measured if any of them saw none.
	Recovery, Gap Span
	// Typical is the longest of the tests' median times to a grant while the fault was in force.
	Typical Span
	// Attempts are the acquires that were invoked while the fault was in force, Grants those that were granted within that time.
	Attempts, Grants int
	// LongHolds is true if the time between two grants is mostly that of a hold: Recovery and Gap then say nothing about the
	// lock, and the table of the leadership does.
	LongHolds bool
}

// behaviour merges what the row's tests measured in a phase.
func (r *Row) behaviour(phase string) Behaviour {
	b := Behaviour{Phase: phase, State: NotApplicable}
	if r.nothing() {
		b.State, b.Reason = State(r.Driver.Status), r.Driver.Reason
		return b
	}
	for i := range r.Tests {
		b.add(&r.Tests[i])
	}
	b.Absent = r.lacks(phase)
	if len(r.Tests) == 0 {
		b.State, b.Reason = NotRun, "this run has no test of this driver"
	}
	if len(b.What) > 0 {
		b.State, b.Reason = Valid, ""
	}
	order := []What{LetsTwoIn, Blocks, FailsFast, GoesOn}
	slices.SortFunc(b.What, func(x, y What) int { return slices.Index(order, x) - slices.Index(order, y) })
	b.What = slices.Compact(b.What)
	if slices.Contains(b.What, LetsTwoIn) {
		// That others go on is how two got in.
		b.What = slices.DeleteFunc(b.What, func(w What) bool { return w == GoesOn })
	}
	return b
}

// lacks reports whether no test of the row was to have the phase, though they were to have others.
func (r *Row) lacks(phase string) bool {
	planned := false
	for _, t := range r.Tests {
		planned = planned || len(t.Phases) > 0
		if t.Phase(phase) != nil {
			return false
		}
	}
	return planned
}

func (b *Behaviour) add(t *TestRow) {
	i := slices.IndexFunc(t.Measured.Phases, func(p PhaseMeasure) bool { return p.Name == b.Phase })
	if i < 0 {
		b.unmeasured(whyNoPhase(t.Test, b.Phase))
		return
	}
	p := &t.Measured.Phases[i]
	two := t.twoIn(p)
	b.Incidents += two
	if two > 0 {
		b.What = append(b.What, LetsTwoIn)
		b.Heeding = b.Heeding || t.HeedLost
		b.Ignoring = b.Ignoring || !t.HeedLost
	}
	if p.Struck() {
		b.Recovery = b.Recovery.slower(p.Recovery)
	}
	b.Gap, b.Typical = b.Gap.longer(p.LongestGap), b.Typical.longer(p.Typical)
	b.Attempts, b.Grants = b.Attempts+p.Attempts, b.Grants+p.Grants
	if p.What == "" {
		reason := p.Reason
		if i := slices.IndexFunc(t.Phases, func(p results.Phase) bool { return p.Name == b.Phase }); i >= 0 && t.Phases[i].Reason != "" {
			reason += ": " + t.Phases[i].Reason
		}
		b.unmeasured(Finding{State: Unknown, Reason: reason})
	} else if two == 0 {
		b.What = append(b.What, p.What)
	}
}

func (b *Behaviour) unmeasured(f Finding) {
	if f.State.severity() > b.State.severity() || b.Reason == "" {
		b.State, b.Reason = f.State, f.Reason
	}
}

// whyNoPhase says why a test's history has no such phase.
func whyNoPhase(t results.Test, phase string) Finding {
	if t.Status == results.NotRun || t.Status == results.NotApplicable || t.Status == results.Failed {
		return Finding{State: State(t.Status), Reason: t.Reason}
	}
	i := slices.IndexFunc(t.Phases, func(p results.Phase) bool { return p.Name == phase })
	if i < 0 {
		return Finding{State: NotApplicable, Reason: "this test has no such phase"}
	}
	switch p := t.Phases[i]; p.Status {
	case results.NotApplicable, results.NotRun, results.Failed:
		return Finding{State: State(p.Status), Reason: p.Reason}
	case results.Complete, results.Incomplete:
	}
	return Finding{State: Unknown, Reason: "the history ends before this phase"}
}

// twoIn counts the incidents that break mutual exclusion and began in the phase.
func (t *TestRow) twoIn(p *PhaseMeasure) int {
	if t.Result == nil {
		return 0
	}
	return count(t.Result.Incidents, func(i checker.Incident) bool {
		return isExclusion(i) && i.Begin >= p.Begin && i.Begin <= p.End
	})
}

// Did names what the lock did.
func (b Behaviour) Did() string {
	words := make([]string, len(b.What))
	for i, w := range b.What {
		words[i] = string(w)
		if w == LetsTwoIn {
			words[i] += " (" + b.clients() + ")"
		}
	}
	return strings.Join(words, " or ")
}

// Details are the measurements that belong to it.
func (b Behaviour) Details() string {
	if b.LongHolds {
		return ""
	}
	var all []string
	if slices.Contains(b.What, GoesOn) && 2*b.Grants < b.Attempts {
		all = append(all, fmt.Sprintf("%d of %d granted", b.Grants, b.Attempts))
	}
	if slices.Equal(b.What, []What{GoesOn}) && b.Typical.Measured {
		all = append(all, "p50 "+b.Typical.String())
	}
	if b.Gap.Measured {
		all = append(all, "gap "+b.Gap.String())
	}
	if !slices.Equal(b.What, []What{GoesOn}) {
		if b.Recovery.Measured {
			all = append(all, "back in "+b.Recovery.String())
		} else {
			all = append(all, "no recovery seen")
		}
	}
	return strings.Join(all, "; ")
}

// String writes the behaviour as one line.
func (b Behaviour) String() string {
	if len(b.What) == 0 {
		return string(b.State)
	}
	return strings.TrimSuffix(b.Did()+"; "+b.Details(), "; ")
}

func (b Behaviour) clients() string {
	switch {
	case b.Heeding && b.Ignoring:
		return "heeding Lost or not"
	case b.Heeding:
		return "heeding Lost"
	default:
		return "ignoring Lost"
	}
}

// severity is how a table marks the behaviour: that a lock blocks or goes on is neither good nor bad.
func (b Behaviour) severity() State {
	switch {
	case b.Incidents > 0:
		return Invalid
	case len(b.What) == 0:
		return b.State
	default:
		return NotApplicable
	}
}
