package measure

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// Phase is one phase of one test. Times are the history's nanoseconds.
type Phase struct {
	Name       string
	Begin, End int64
	// Unended is true if the history stops within the phase, TimedOut if the phase ended by its bound.
	Unended, TimedOut bool
	// Faults are those that were injected in the phase. Healed says whether one of them was healed in it.
	Faults []InjectedFault
	Healed bool
	// What is what the acquires met while the fault was in force; empty: Reason says why nobody knows.
	What   What
	Reason string

	// Attempts are the acquires invoked while the fault was in force, Grants those of them that returned ok within
	// that time.
	Attempts, Grants int
	// Fails and Infos are those of them that ended so, at whatever time; Open never ended.
	Fails, Infos, Open int
	// LongestWait is how long one of them waited for its answer. LongestGap is the longest time between two grants of
	// which a part lay between the first injection and the last heal: from the first injection at the earliest, to the
	// next grant, however long after the heals.
	LongestWait, LongestGap Span
	// Typical is the median time to a grant within that time.
	Typical Span
	// Refusal is the median time until one of them failed.
	Refusal Span
	// Recovery runs from the end of the heal to the first grant that was asked for after it.
	Recovery Span

	// UnderFault is the latency of the acquires that began to wait while the fault was in force.
	UnderFault Latency

	// From and Until bound the time in which the fault was in force: from its being in place to the heal's begin.
	From, Until int64
}

// HasFault reports whether a fault was injected in the phase.
func (p *Phase) HasFault() bool { return len(p.Faults) > 0 }

// phaseWatch measures a phase while the lines go by.
type phaseWatch struct {
	Phase
	place int  // among the phases
	timed bool // its latency is that of the test
	// from and until are those of the Phase, or never; healed is when its last heal returned, and recovered when the
	// first acquire was granted that was asked for after that, or 0.
	from, until, healed, recovered int64

	latency         Latency
	due             arrivals
	refusals, waits sample
	newest          int64 // when the newest grant was, or the fault was in place
	gapOver         bool  // somebody was granted a lock after the last heal
	// waiting is how many acquires waited for their answer when the fault came into force, and inForceGrants how many
	// grants were given while it was.
	waiting, inForceGrants int
	// holders are the attempts that were granted last before the fault, by lock; overtaken are those whose lock
	// somebody else was granted who was waiting already.
	holders   map[string]*attempt
	overtaken map[*attempt]bool
	leader    *checker.Hold // before the fault
	next      *checker.Hold // the first other leader
	sharing   sharing
	moved     bool // a clock was, at movedAt first
	movedAt   int64
	clocks    ClockPhase
}

func (p *pass) beginPhase(op *history.Op) {
	w := &phaseWatch{Phase: Phase{Name: op.Phase, Begin: op.Time, Unended: true}, place: len(p.phases), from: never, until: never}
	w.timed = p.timed(w.Name)
	p.cut.phaseBegins(p, op.Time)
	p.flush(op.Time)
	p.phases = append(p.phases, w)
	p.phase = w
}

// timed reports whether the latency of a phase that begins is to be that of the test: of several of a name it is the
// first one's.
func (p *pass) timed(name string) bool {
	for _, w := range p.phases {
		if w.Name == name {
			return false
		}
	}
	return p.run.Planned(name).Latency
}

// endPhase ends the phase that is going on, if there is one.
func (p *pass) endPhase(at int64) error {
	w := p.phase
	if w == nil {
		return nil
	}
	p.flush(at)
	w.End, w.until = at, min(w.until, at)
	if w.HasFault() {
		w.From = w.from
	}
	w.Until = w.until
	p.endClocks(w)
	p.leadership.phaseEnds()
	p.phase = nil
	return p.endSharing(w)
}

// begin says that the fault is in force from now on, whatever was thought before.
func (w *phaseWatch) begin(p *pass, at int64) {
	w.from, w.newest = at, at
	w.Attempts, w.Grants, w.Fails, w.Infos = 0, 0, 0, 0
	w.LongestWait, w.LongestGap = Span{}, Span{}
	w.refusals, w.waits, w.UnderFault = sample{}, sample{}, Latency{}
	w.holders, w.overtaken = maps.Clone(p.attempts.newest), map[*attempt]bool{}
	w.leader, w.next = p.leadership.newest, nil
	w.waiting, w.inForceGrants = 0, 0
	for _, a := range p.attempts.open {
		if !a.granted {
			w.waiting++
		}
	}
}

// inForce reports whether the fault is in force at a time of the phase.
func (w *phaseWatch) inForce(at int64) bool { return at >= w.from && at < w.until }

// endGap ends a time in which nothing was granted. The one that is open when the last fault is healed goes on until the
// next grant.
func (w *phaseWatch) endGap(at int64) {
	if w.gapOver || !w.HasFault() || at < w.from {
		return
	}
	w.LongestGap = w.LongestGap.Longer(SpanOf(at - w.newest))
	w.newest = at
	w.gapOver = !slices.ContainsFunc(w.Faults, func(f InjectedFault) bool { return !f.Healed })
}

// granted takes an attempt that was granted in the phase, whenever it was invoked.
func (w *phaseWatch) granted(a *attempt) {
	if !w.inForce(a.end) {
		return
	}
	w.inForceGrants++
	// A worker that was waiting when the fault came into force took over the lock that another had then. What was
	// granted to others is no proof: their answer may have been under way.
	if last := w.holders[a.lock]; last != nil && a.invoke < w.from && last.process != a.process {
		w.overtaken[last] = true
	}
}

// ended takes an attempt that was invoked in the phase, which may be over.
func (w *phaseWatch) ended(a *attempt, outcome history.Type, goesOn bool) error {
	if !w.inForce(a.invoke) {
		return nil
	}
	w.Attempts++
	took := a.end - a.invoke
	w.LongestWait = w.LongestWait.Longer(SpanOf(took))
	switch outcome {
	case history.OK:
		if goesOn && a.end < w.until {
			w.Grants++
			w.waits.add(took)
		}
	case history.Fail, history.Info:
		w.refusals.add(took)
		if outcome == history.Fail {
			w.Fails++
		} else {
			w.Infos++
		}
	default:
		w.Open++
	}
	return nil
}

// addLatency adds an acquire that began to wait in the phase, however late it was granted.
func (w *phaseWatch) addLatency(a *attempt) error {
	var to []*Latency
	if w.timed {
		to = append(to, &w.latency)
	}
	if w.inForce(a.from()) {
		to = append(to, &w.UnderFault)
	}
	for _, l := range to {
		if !a.granted {
			l.NotGranted++
			continue
		}
		l.OpenLoop = l.OpenLoop || a.intended != 0
		if err := l.Record(a.end - a.from()); err != nil {
			return fmt.Errorf("record the latency of an acquire: %w", err)
		}
	}
	return nil
}

// finish completes the measures of a phase with a fault. An acquireTimeout of 0 is not known, and nothing fails fast.
// next is when the next fault was in place, never if none followed.
func (w *phaseWatch) finish(acquireTimeout time.Duration, next int64) {
	if !w.HasFault() {
		w.Reason = "no fault was injected"
		return
	}
	if w.Attempts == 0 {
		w.LongestWait = NoSpan("no acquire was invoked during the fault")
	}
	w.Refusal = w.refusals.quantile(.5, "no acquire failed during the fault")
	w.Typical = w.waits.quantile(.5, "no acquire was granted during the fault")
	if w.Recovery = NoSpan(w.noRecovery(next)); w.recovered != 0 && w.recovered < next {
		// What recovers only when the next fault is in force proves nothing.
		w.Recovery = SpanOf(w.recovered - w.healed)
	}
	switch {
	case w.Reason != "":
	case w.takenOver():
		w.What = GoesOn
	case w.Attempts == 0 && (w.waiting == 0 || w.inForceGrants > 0):
		w.Reason = "no acquire was invoked during the fault"
	case w.Grants > 0:
		w.What = GoesOn
	case w.Refusal.Measured && w.Refusal.D < acquireTimeout/4:
		w.What = FailsFast
	default:
		w.What = Blocks
	}
}

// takenOver reports whether the lock of somebody who still had it when the fault was in force was granted to another.
func (w *phaseWatch) takenOver() bool {
	for last := range w.overtaken {
		if last.givenUp > w.from {
			return true
		}
	}
	return false
}

func (w *phaseWatch) noRecovery(next int64) string {
	switch {
	case !w.Healed:
		return "the fault was not healed within the phase"
	case next != never:
		return "nothing was granted between the heal and the next fault"
	default:
		return "nothing was granted after the heal"
	}
}

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
	// GoesOn: acquires that were asked for during the fault were granted during the fault, or one that was waiting
	// took the lock over from who had it.
	GoesOn What = "goes on"
)

// Unclear counts the acquires of which nobody knows what became.
func (p *Phase) Unclear() int { return p.Infos + p.Open }
