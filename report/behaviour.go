package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report/measure"
)

// Behaviour is what a driver's tests measured in one phase.
type Behaviour struct {
	Phase string
	// Absent is true if the scenario leaves the phase to other drivers.
	Absent bool
	// What lists what the driver's tests saw, the worst first; empty: nothing was measured, and State and Reason say
	// why.
	What   []measure.What
	State  State
	Reason string
	// Heeding and Ignoring say with which clients two were let in.
	Heeding, Ignoring bool
	// Incidents are those of mutual exclusion that began in the phase.
	Incidents int
	// Test is the one that the figures below are of: one that saw no recovery, else the one with the longest gap.
	Test string
	// Recovery and Gap are measured in it, and Typical is its median time to a grant while the fault was in force.
	Recovery, Gap, Typical measure.Span
	// Attempts are its acquires that were invoked while the fault was in force, Grants those that were granted within
	// that time.
	Attempts, Grants int
	// InForce is how long the fault was in force in it. Blocked is true if nobody was granted the lock meanwhile, and
	// HolderHit if the fault hit the holder.
	InForce            time.Duration
	Blocked, HolderHit bool
	measured           bool
	// LongHolds is true if the time between two grants is mostly that of a hold: Recovery and Gap then say nothing
	// about the lock, and the table of the leadership does.
	LongHolds bool
}

// behaviour merges what the row's tests measured in a phase.
func (r *Row) behaviour(phase string) Behaviour {
	b := Behaviour{Phase: phase, State: NotApplicable}
	if r.Nothing() {
		b.State, b.Reason = State(r.Driver.Status), r.Driver.Reason
		return b
	}
	for i := range r.Tests {
		b.add(&r.Tests[i])
	}
	b.Absent = r.lacks(phase)
	if len(r.Tests) == 0 {
		b.State, b.Reason = NotRun, "this run did not test this driver"
	}
	if len(b.What) > 0 {
		b.State, b.Reason = Valid, ""
	}
	order := []measure.What{measure.LetsTwoIn, measure.Blocks, measure.FailsFast, measure.GoesOn}
	slices.SortFunc(b.What, func(x, y measure.What) int { return slices.Index(order, x) - slices.Index(order, y) })
	b.What = slices.Compact(b.What)
	if slices.Contains(b.What, measure.LetsTwoIn) {
		b.State = Invalid
		// That others go on is how two got in.
		b.What = slices.DeleteFunc(b.What, func(w measure.What) bool { return w == measure.GoesOn })
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
	i := slices.IndexFunc(t.Measured.Phases, func(p measure.Phase) bool { return p.Name == b.Phase })
	if i < 0 {
		b.unmeasured(whyNoPhase(t.Test, b.Phase))
		return
	}
	p := &t.Measured.Phases[i]
	two := t.twoIn(p)
	b.Incidents += two
	if two > 0 {
		b.What = append(b.What, measure.LetsTwoIn)
		b.Heeding = b.Heeding || t.Heeding
		b.Ignoring = b.Ignoring || !t.Heeding
	}
	b.takeFigures(t.Name, p)
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

// takeFigures takes the figures of a test that fared worse than those before: one cell never mixes tests.
func (b *Behaviour) takeFigures(test string, p *measure.Phase) {
	stuck := func(recovery measure.Span) bool { return !recovery.Measured }
	worse := p.LongestGap.D > b.Gap.D
	if p.HasFault() && stuck(p.Recovery) != stuck(b.Recovery) {
		worse = stuck(p.Recovery)
	}
	if b.measured && !worse {
		return
	}
	b.measured = true
	b.Test, b.Recovery, b.Gap, b.Typical = test, p.Recovery, p.LongestGap, p.Typical
	b.Attempts, b.Grants = p.Attempts, p.Grants
	b.InForce, b.Blocked = time.Duration(p.Until-p.From), p.HasFault() && p.What == measure.Blocks
	b.HolderHit = slices.ContainsFunc(p.Faults, func(f measure.InjectedFault) bool { return f.Role == holderRole })
}

// holderRole is the role of the client that held the lock, as histories name it.
const holderRole = "holder"

func (b *Behaviour) unmeasured(f Finding) {
	if f.State.Severity() > b.State.Severity() || b.Reason == "" {
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
func (t *TestRow) twoIn(p *measure.Phase) int {
	if t.Result == nil {
		return 0
	}
	return count(t.Result.Incidents, func(i checker.Incident) bool {
		return measure.IsExclusion(i) && i.Begin >= p.Begin && i.Begin <= p.End
	})
}

// Did names what the lock did.
func (b Behaviour) Did() string {
	words := make([]string, len(b.What))
	for i, w := range b.What {
		words[i] = string(w)
		if w == measure.LetsTwoIn {
			words[i] += " (" + b.clients() + ")"
		}
	}
	return strings.Join(words, " or ")
}

// Details are the measurements that belong to it.
func (b Behaviour) Details() string { return strings.Join(b.Facts(), "; ") }

// Facts are the details one by one.
func (b Behaviour) Facts() []string {
	if b.LongHolds || len(b.What) == 0 {
		return nil
	}
	var all []string
	if slices.Contains(b.What, measure.GoesOn) && 2*b.Grants < b.Attempts {
		all = append(all, fmt.Sprintf("%d of %d granted", b.Grants, b.Attempts))
	}
	if slices.Equal(b.What, []measure.What{measure.GoesOn}) && b.Typical.Measured {
		all = append(all, "p50 "+b.Typical.String())
	}
	switch {
	case b.Blocked && b.InForce > 0 && b.Gap.D >= b.InForce*9/10:
		// The gap would be the length of our own fault.
		all = append(all, "for as long as the fault lasts ("+units.Duration(b.InForce)+" here)")
	case b.Gap.Measured:
		all = append(all, "gap "+b.Gap.String())
	}
	if !slices.Equal(b.What, []measure.What{measure.GoesOn}) {
		if b.Recovery.Measured {
			all = append(all, "back in "+b.Recovery.String())
		} else {
			all = append(all, "no recovery seen")
		}
	}
	return all
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
		return "heeding or ignoring"
	case b.Heeding:
		return "heeding"
	default:
		return "ignoring"
	}
}

// Severity is how a table marks the behaviour: that a lock blocks or goes on is neither good nor bad. But a lock that stays
// with a holder who is cut off blocks everybody for as long as that lasts.
func (b Behaviour) Severity() State {
	switch {
	case b.Incidents > 0:
		return Invalid
	case len(b.What) == 0:
		return b.State
	case b.Blocked && b.HolderHit:
		return Unknown
	default:
		return NotApplicable
	}
}
