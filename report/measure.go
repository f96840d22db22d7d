package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/quantile"
	"github.com/lockbench/lockbench/internal/results"
)

// Measurement is what one test's history says beside its verdict.
type Measurement struct {
	// Latency is uncontended; Contended and HandOff are the other kinds.
	Latency, Contended, HandOff Latency
	Phases                      []PhaseMeasure // in the order of the history
	// What the run's tables show; each is measured only if the run has its table.
	Contention Contention
	Deadlocks  Deadlocks
	Leadership Leadership
	Clocks     Clocks
	Timeline   Timeline
	// Scenes are what was held around the incidents that a report tells, by their places among all.
	Scenes map[int]Scene
	// Begin is the time of the first line: times are shown from there.
	Begin int64
}

const noLines = "the history is empty"

// acquire is one attempt with its end.
type acquire struct {
	lock                  string
	process               int64
	invoke, intended, end int64
	outcome               history.Type // empty: it never ended
	givenUp               int64        // when a grant was released or abandoned, or never
}

// Measure computes what the tables show of one of the run's tests. ops are in the order of the history. Of the run it
// needs the settings and which tables there are, of the verdict the incidents; nil: it was not judged.
func Measure(run *results.Run, test *results.Test, ops []history.Op, verdict *results.TestVerdict) (Measurement, error) {
	var m Measurement
	if len(ops) == 0 {
		m.Latency.Reason, m.Contended.Reason, m.HandOff.Reason = noLines, noLines, noLines
		return m, nil
	}
	m.Begin = ops[0].Time
	m.Phases = phases(ops)
	// A run that does not say how long an acquire may take has no fast failures.
	acquireTimeout, _ := time.ParseDuration(run.Settings["acquire-timeout"])
	attempts := acquires(ops)
	last := ops[len(ops)-1].Time
	for i := range m.Phases {
		if m.Phases[i].Struck() {
			m.Phases[i].measure(attempts, last, nextStrike(m.Phases[i+1:]))
			m.Phases[i].judge(acquireTimeout, m.Phases[i].takenOver(attempts))
		} else {
			m.Phases[i].Reason = "no fault struck"
		}
	}
	m.Latency.Reason = noLatencyPhase
	for _, p := range test.Phases {
		if !p.Latency {
			continue
		}
		if err := m.measureLatency(p, attempts, workersOf(run)); err != nil {
			return m, fmt.Errorf("test %s, phase %s: %w", test.Name, p.Name, err)
		}
	}
	h, malformed := history.Parse(ops)
	var holds []checker.Hold
	if malformed == nil {
		holds = checker.Holds(h)
	}
	m.Timeline = newTimeline(m.Begin, last, m.Phases, attempts, holds)
	if verdict != nil {
		m.Scenes = scenes(verdict, m.Phases, holds, m.Begin, last)
	}
	if malformed != nil {
		m.noTables("the history is malformed: " + malformed.Error())
		return m, nil
	}
	if err := m.measureTables(run, test, ops, holds); err != nil {
		return m, fmt.Errorf("test %s: %w", test.Name, err)
	}
	return m, nil
}

// nextStrike is when the next fault strikes, or 0.
func nextStrike(later []PhaseMeasure) int64 {
	for i := range later {
		if later[i].Struck() {
			return later[i].From
		}
	}
	return 0
}

// acquires pairs every acquire with its end, in the order of their invokes.
func acquires(ops []history.Op) []acquire {
	var all []acquire
	open := map[checker.GrantID]int{}
	for i := range ops {
		op := &ops[i]
		if op.IsNemesis() {
			continue
		}
		id := checker.GrantID{Process: op.Process, Grant: op.Grant}
		n, ok := open[id]
		switch {
		case op.F == history.Acquire && op.Type == history.Invoke:
			open[id] = len(all)
			all = append(all, acquire{lock: op.Lock, process: op.Process, invoke: op.Time, intended: op.Intended, givenUp: never})
		case !ok:
		case op.F == history.Acquire:
			if all[n].end, all[n].outcome = op.Time, op.Type; op.Type != history.OK {
				delete(open, id)
			}
		case op.F == history.Release && op.Type == history.Invoke, op.F == history.Abandon:
			all[n].givenUp = op.Time
			delete(open, id)
		}
	}
	return all
}

// takenOver reports whether a worker that was waiting when the fault came into force was granted, before the heal, the lock
// that another had then: the last one that was granted it. What was granted to others is no proof: their answer may
// have been under way.
func (p *PhaseMeasure) takenOver(attempts []acquire) bool {
	holders := map[string]acquire{}
	for _, a := range attempts {
		if last, ok := holders[a.lock]; a.outcome == history.OK && a.end < p.From && (!ok || a.end > last.end) {
			holders[a.lock] = a
		}
	}
	return slices.ContainsFunc(attempts, func(a acquire) bool {
		last, ok := holders[a.lock]
		return ok && last.givenUp > p.From && last.process != a.process &&
			a.outcome == history.OK && a.invoke < p.From && a.end >= p.From && a.end < p.Until
	})
}

// measure fills in what happened to the acquires while the fault was in force, and after. next is when the
// next fault strikes: what recovers only then proves nothing.
func (p *PhaseMeasure) measure(attempts []acquire, last, next int64) {
	p.LongestWait = unmeasured("no acquire was invoked during the fault")
	p.Refusal = unmeasured("no acquire failed during the fault")
	p.Recovery = unmeasured(p.noRecovery(next != 0))
	p.Typical = unmeasured("no acquire was granted during the fault")
	var refusals, waits []int64
	grants := []int64{p.From}
	for _, a := range attempts {
		if a.invoke >= p.From && a.invoke < p.Until {
			p.Attempts++
			p.count(a, last)
			if a.outcome == history.Fail || a.outcome == history.Info {
				refusals = append(refusals, a.end-a.invoke)
			}
			if a.outcome == history.OK && a.end < p.Until {
				waits = append(waits, a.end-a.invoke)
			}
		}
		if a.outcome == history.OK && a.end >= p.From && a.end < p.Until {
			grants = append(grants, a.end)
		}
		recovered := p.Healed && a.outcome == history.OK && a.invoke >= p.healed && (next == 0 || a.end < next)
		if since := measured(a.end - p.healed); recovered && (!p.Recovery.Measured || since.D < p.Recovery.D) {
			p.Recovery = since
		}
	}
	p.Refusal, p.Typical = median(refusals, p.Refusal), median(waits, p.Typical)
	slices.Sort(grants)
	grants = append(grants, p.Until)
	for i := range grants[1:] {
		p.LongestGap = p.LongestGap.longer(measured(grants[i+1] - grants[i]))
	}
}

// median is that of times, or if there are none what is given.
func median(times []int64, none Span) Span {
	if len(times) == 0 {
		return none
	}
	slices.Sort(times)
	return measured(times[quantile.Rank(.5, int64(len(times)))-1])
}

// judge puts into words what the acquires met.
func (p *PhaseMeasure) judge(acquireTimeout time.Duration, takenOver bool) {
	switch {
	case p.Reason != "":
	case takenOver:
		p.What = GoesOn
	case p.Attempts == 0:
		p.Reason = "no acquire was invoked during the fault"
	case p.Grants > 0:
		p.What = GoesOn
	case p.Refusal.Measured && p.Refusal.D < acquireTimeout/4:
		p.What = FailsFast
	default:
		p.What = Blocks
	}
}

func (p *PhaseMeasure) noRecovery(struckAgain bool) string {
	switch {
	case !p.Healed:
		return "the fault was not healed within the phase"
	case struckAgain:
		return "nothing was granted between the heal and the next fault"
	default:
		return "nothing was granted after the heal"
	}
}

func (p *PhaseMeasure) count(a acquire, last int64) {
	end := a.end
	switch a.outcome {
	case history.OK:
		if a.end < p.Until {
			p.Grants++
		}
	case history.Fail:
		p.Fails++
	case history.Info:
		p.Infos++
	default:
		p.Open++
		end = last
	}
	p.LongestWait = p.LongestWait.longer(measured(end - a.invoke))
}

// measureLatency adds the acquires that were invoked in the phase, however late they were granted.
func (m *Measurement) measureLatency(phase results.Phase, attempts []acquire, workers int64) error {
	i := slices.IndexFunc(m.Phases, func(p PhaseMeasure) bool { return p.Name == phase.Name })
	if i < 0 {
		m.Latency.Reason = fmt.Sprintf("phase %s is not in the history", phase.Name)
		if phase.Reason != "" {
			m.Latency.Reason = phase.Reason
		}
		return nil
	}
	p := &m.Phases[i]
	m.Latency.During += time.Duration(p.End - p.Begin)
	due := arrivals{}
	for _, a := range attempts {
		due.add(worker(a.process, workers), a.intended, p)
		if a.invoke < p.Begin || a.invoke >= p.End {
			continue
		}
		if a.outcome != history.OK {
			m.Latency.NotGranted++
			continue
		}
		from := a.invoke
		if a.intended != 0 {
			from, m.Latency.OpenLoop = a.intended, true
		}
		if err := m.Latency.record(a.end - from); err != nil {
			return fmt.Errorf("record the latency of an acquire: %w", err)
		}
	}
	m.Latency.NotGranted += due.overdue(p.End)
	if m.Latency.Samples == 0 {
		m.Latency.Reason = fmt.Sprintf("nothing was granted in phase %s", p.Name)
	}
	return nil
}
