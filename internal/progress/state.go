package progress

import (
	"slices"
	"time"

	"github.com/lockbench/lockbench/internal/results"
)

// state is what is known of a run by its events.
type state struct {
	run     Run
	began   time.Time
	judging bool
	rows    []*row
	over    map[testPhase]bool          // phases that ended, or never will begin
	took    map[testPhase]time.Duration // by driver: how long a phase lasted the last time
}

// testPhase names a phase of a test, or of any test of a driver.
type testPhase struct{ of, phase string }

// row is what is known of one driver.
type row struct {
	driver string
	tests  []Test
	stage  string // in words, while no test runs
	out    bool   // it will not run, or not any more

	test       string // under way; empty: none
	number     int    // of tests that began
	testBegan  time.Time
	phase      string // under way; empty: none
	phased     bool   // the test had a phase
	phaseBegan time.Time
	counts     *Counts        // of the phase; nil: not known yet
	force      []string       // the faults in force
	incidents  map[string]int // by test, as far as they are known
}

func newState() *state {
	return &state{over: map[testPhase]bool{}, took: map[testPhase]time.Duration{}}
}

// apply takes an event in.
func (s *state) apply(e Event) {
	switch e.Kind {
	case RunStarted:
		s.start(e)
		return
	case Judging:
		s.judging = true
		return
	}
	i := slices.IndexFunc(s.rows, func(r *row) bool { return r.driver == e.Driver })
	if i < 0 {
		return // it is about no driver
	}
	r := s.rows[i]
	switch e.Kind {
	case PhaseSkipped:
		s.over[testPhase{e.Test, e.Phase}] = true
	case PhaseEnded:
		s.over[testPhase{e.Test, e.Phase}] = true
		s.took[testPhase{e.Driver, e.Phase}] = e.Took
	case TestEnded:
		for _, p := range r.phases(e.Test) {
			s.over[testPhase{e.Test, p.Name}] = true
		}
	}
	r.apply(e)
}

func (s *state) start(e Event) {
	s.run, s.began = *e.Run, e.Time
	for _, driver := range e.Run.Drivers {
		r := &row{driver: driver, stage: "servers start", incidents: map[string]int{}}
		for _, t := range e.Run.Tests {
			if t.Driver == driver {
				r.tests = append(r.tests, t)
			}
		}
		s.rows = append(s.rows, r)
	}
}

func (r *row) phases(test string) []Phase {
	for _, t := range r.tests {
		if t.Name == test {
			return t.Phases
		}
	}
	return nil
}

func (r *row) apply(e Event) {
	fault := e.Fault + " " + e.Target
	switch e.Kind {
	case ClusterStarting:
		r.stage = "servers start"
	case ClusterReady:
		r.stage = "servers are ready"
	case DriverOut:
		r.stage, r.out = string(e.Status), true
	case TestStarted:
		r.test, r.testBegan, r.phased, r.counts, r.force = e.Test, e.Time, false, nil, nil
		r.number++
	case TestEnded:
		r.test, r.phase, r.force = "", "", nil
		if r.stage = "between two tests"; r.number == len(r.tests) {
			r.stage = "done"
		}
		if e.Status != results.Complete {
			r.stage = string(e.Status)
		}
	case PhaseStarted:
		r.phase, r.phaseBegan, r.phased, r.counts = e.Phase, e.Time, true, nil
	case Tick:
		if r.phase == e.Phase && r.test == e.Test { // else it comes too late
			r.take(e)
		}
	case PhaseEnded:
		r.take(e)
		r.phase = ""
	case FaultStruck:
		r.force = append(r.force, fault)
	case FaultHealed:
		if i := slices.Index(r.force, fault); i >= 0 {
			r.force = slices.Delete(r.force, i, i+1)
		}
	}
}

func (r *row) take(e Event) {
	if e.Counts == nil {
		return
	}
	r.counts = e.Counts
	if n := e.Counts.Incidents; n != nil {
		r.incidents[e.Test] = *n
	}
}

// done reports whether all tests ended.
func (s *state) done() bool {
	return !slices.ContainsFunc(s.rows, func(r *row) bool { return !r.out && (r.test != "" || r.number < len(r.tests)) })
}

// left estimates how long the tests still take: the phases that run alone one driver after another, and the others as long as
// the slowest driver needs. A phase that ran before is taken to last as long again.
func (s *state) left(now time.Time) time.Duration {
	var alone, rest time.Duration
	for _, r := range s.rows {
		if r.out {
			continue
		}
		var own time.Duration
		for _, t := range r.tests {
			for _, p := range t.Phases {
				switch d := s.lasts(r, t, p, now); {
				case s.over[testPhase{t.Name, p.Name}]:
				case p.Alone:
					alone += d
				default:
					own += d
				}
			}
		}
		rest = max(rest, own)
	}
	return alone + rest
}

// lasts estimates what is left of a phase.
func (s *state) lasts(r *row, t Test, p Phase, now time.Time) time.Duration {
	d, ok := s.took[testPhase{r.driver, p.Name}]
	if !ok {
		d = p.Expected
	}
	if r.test == t.Name && r.phase == p.Name {
		d = max(0, d-now.Sub(r.phaseBegan))
	}
	return d
}

// pause says what a driver does while no phase of it is under way.
func (s *state) pause(r *row) string {
	switch {
	case r.test == "":
		return r.stage
	case !r.phased:
		return "clients start"
	}
	for _, p := range r.phases(r.test) {
		if !s.over[testPhase{r.test, p.Name}] {
			return "waits for the others"
		}
	}
	return "clients stop"
}
