package measure

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
)

// foreseen is what a pass must know before it begins, and what it finds only at its end.
type foreseen struct {
	end  int64 // the time of the last line
	cut  Cut
	held checker.Known
}

// pass measures a history line by line, in the order of times. Its memory grows with what is open at a time, and with
// the numbers of phases, locks and processes, not with the number of lines.
type pass struct {
	run      *results.Run
	test     *results.Test
	foreseen foreseen
	workers  int64 // how many there are, 0 if nobody knows: then each process counts as one

	begin, now int64
	begun      bool
	tick       []history.Op // the lines of this time that are measured
	holds      *checker.HoldStream
	malformed  error

	attempts    attempts
	active      int64    // when an acquire last ended, or a grant was given up
	lastDue     arrivals // of the whole history
	phases      []*phaseWatch
	phase       *phaseWatch // that is going on, or nil
	locks       map[string]*lockWatch
	changed     []*lockWatch // at this time
	fair        map[string]bool
	clockFaults map[string]bool
	leadership  leadershipWatch
	deadlocks   *deadlockWatch // nil: the run has no table of them
	struck      *struckWatch
	timeline    timelineWatch
	seconds     secondsWatch
	cut         cutWatch
	scenes      []*sceneWatch
	enough      int64 // after this time the pass ends, or never
}

var (
	errOutOfOrder = errors.New("the lines are not in the order of their times")
	errEnough     = errors.New("the scenes are complete")
)

func newPass(run *results.Run, test *results.Test, known foreseen, scenes []*sceneWatch) *pass {
	p := &pass{
		run: run, test: test, foreseen: known, workers: workersOf(run), holds: checker.NewHoldStream(known.held),
		attempts: attempts{open: map[history.GrantKey]*attempt{}, newest: map[string]*attempt{}},
		locks:    map[string]*lockWatch{}, fair: FairPhases(run, test.Driver),
		clockFaults: run.FaultsWith(movesClocks), leadership: newLeadershipWatch(), scenes: scenes, enough: never,
	}
	if run.Shows(results.Deadlocks) {
		p.deadlocks = newDeadlockWatch()
	}
	p.struck = newStruckWatch(p)
	p.holds.OnServed = func(r *history.Request) {
		p.struck.served(r)
		p.served(r)
	}
	return p
}

// feed takes the next line. Only the resource's may be late.
func (p *pass) feed(op *history.Op) error {
	if !p.begun {
		p.begin, p.now, p.active, p.begun = op.Time, op.Time, op.Time, true
		p.timeline = newTimelineWatch(p.begin, p.foreseen.end, p.foreseen.cut)
	}
	switch {
	case op.Time > p.now:
		if err := p.settle(false); err != nil {
			return err
		}
		if p.now = op.Time; p.now > p.enough {
			return errEnough
		}
	case op.Time < p.now && !isResource(op):
		return errOutOfOrder
	}
	if op.IsNemesis() || op.F == history.Acquire || op.F == history.Release || op.F == history.Abandon {
		p.tick = append(p.tick, *op)
	}
	if op.F == history.Write && op.Type == history.Invoke {
		p.struck.writes = append(p.struck.writes, history.GrantKey{Process: op.Process, Grant: op.Grant})
	}
	if p.malformed == nil {
		p.malformed = p.holds.Feed(op)
	}
	return nil
}

// settle measures what happened at the time now. Lines at the same time are in no order: a phase or a fault that
// begins or ends then goes first, so that a time belongs to what begins with it.
func (p *pass) settle(last bool) error {
	for i := range p.tick {
		if op := &p.tick[i]; op.IsNemesis() {
			if err := p.nemesis(op); err != nil {
				return err
			}
		}
	}
	if last {
		if err := p.endPhase(p.now); err != nil {
			return err
		}
	}
	for i := range p.tick {
		if op := &p.tick[i]; !op.IsNemesis() {
			if err := p.attempt(op); err != nil {
				return err
			}
		}
	}
	p.tick = p.tick[:0]
	if p.malformed != nil {
		return nil
	}
	if err := p.change(p.holds.Settle(p.now)); err != nil {
		return err
	}
	p.struck.sent()
	return nil
}

// finish completes the measurement, and returns what it turned out that the pass had to know.
func (p *pass) finish() (m Measurement, found foreseen, err error) {
	if err := p.settle(true); err != nil {
		return m, found, err
	}
	found = foreseen{end: p.now, cut: p.cut.worth(p.now - p.begin)}
	if p.malformed == nil {
		var last []checker.HoldEvent
		if last, found.held, p.malformed = p.holds.Finish(p.now); p.malformed == nil {
			if err := p.change(last); err != nil {
				return m, found, err
			}
		}
	}
	for _, a := range p.attempts.open {
		if !a.granted && a.phase != nil {
			a.end = p.now
			if err := a.phase.ended(a, "", false); err != nil {
				return m, found, err
			}
		}
		if !a.granted && a.home != nil {
			if err := a.home.addLatency(a); err != nil {
				return m, found, err
			}
		}
	}
	m.Begin = p.begin
	p.finishPhases(&m)
	p.finishLatency(&m)
	if err := p.seconds.end(len(p.phases) - 1); err != nil {
		return m, found, err
	}
	m.Seconds = p.seconds.done
	m.Timeline = p.timeline.finish(m.Phases, p.locks, p.malformed == nil)
	if p.malformed != nil {
		m.noTables("the history is malformed: " + p.malformed.Error())
		return m, found, nil
	}
	m.Struck = p.struck.finish(p.now)
	return m, found, p.finishTables(&m)
}

// waitedUntil is the last time at which somebody waited for a lock.
func (p *pass) waitedUntil() int64 {
	for _, a := range p.attempts.open {
		if !a.granted {
			return p.now
		}
	}
	return p.active
}

// overdue counts the acquires of an open loop that were due in a part of a phase and that nobody ever asked for.
func (p *pass) overdue(w *phaseWatch, begin, end int64) int64 {
	step := w.due.interval()
	if step == 0 && p.run.Planned(w.Name).Workload == nil { // nobody came to ask twice in it
		step = p.lastDue.interval()
	}
	return p.lastDue.overdue(begin, end, step)
}

func (p *pass) finishPhases(m *Measurement) {
	for _, w := range p.phases {
		if w.HasFault() {
			w.endGap(max(w.until, p.waitedUntil()))
			w.UnderFault.During = time.Duration(w.Until - w.From)
			w.UnderFault.NotGranted += p.overdue(w, w.From, w.Until)
			if w.UnderFault.Samples == 0 {
				w.UnderFault.Reason = "nothing was granted that was asked for during the fault"
			}
		}
	}
	next := int64(never)
	for i := len(p.phases) - 1; i >= 0; i-- {
		w := p.phases[i]
		if w.finish(p.run.Workload.AcquireTimeout, next); w.HasFault() {
			next = w.From
		}
	}
	for _, w := range p.phases {
		m.Phases = append(m.Phases, w.Phase)
	}
}

// finishLatency sums up the phases that measure the latency of the test.
func (p *pass) finishLatency(m *Measurement) {
	m.Latency.Reason = NoLatencyPhase
	for _, planned := range p.test.Phases {
		if !p.run.Planned(planned.Name).Latency {
			continue
		}
		i := slices.IndexFunc(p.phases, func(w *phaseWatch) bool { return w.Name == planned.Name })
		if i < 0 {
			m.Latency.Reason = fmt.Sprintf("phase %s is not in the history", planned.Name)
			if planned.Reason != "" {
				m.Latency.Reason = planned.Reason
			}
			continue
		}
		w := p.phases[i]
		w.latency.During = time.Duration(w.End - w.Begin)
		w.latency.NotGranted += p.overdue(w, w.Begin, w.End)
		m.Latency.Merge(w.latency)
		if m.Latency.Samples == 0 {
			m.Latency.Reason = fmt.Sprintf("nothing was granted in phase %s", w.Name)
		}
	}
}
