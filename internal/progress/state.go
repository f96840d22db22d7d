package progress

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockbench/lockbench/internal/units"
)

// state is what the events tell of a run.
type state struct {
	began   time.Time
	judging bool
	place   *Place // nil: it is no run of a series
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
	stage  string // in words, while no phase runs
	ended  int    // tests that ended
	out    bool   // it will not run, or not any more

	test       string // under way; empty: none
	testBegan  time.Time
	phase      string // under way; empty: none
	phaseBegan time.Time
	counts     *Counts        // of the phase; nil: not known yet
	force      []Event        // the injections in force
	incidents  map[string]int // by test, as far as they are known
}

func newState() *state {
	return &state{over: map[testPhase]bool{}, took: map[testPhase]time.Duration{}}
}

// row finds a driver's row; nil: the driver is none of the run's.
func (s *state) row(driver string) *row {
	if i := slices.IndexFunc(s.rows, func(r *row) bool { return r.driver == driver }); i >= 0 {
		return s.rows[i]
	}
	return nil
}

// apply takes an event in.
func (s *state) apply(e Event) {
	switch e.Kind {
	case RunStarted:
		s.start(e)
	case Judging:
		s.judging = true
	}
	r := s.row(e.Driver)
	if r == nil {
		return // it is about no driver
	}
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
	s.began, s.place = e.Time, e.Run.Place
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
	switch e.Kind {
	case ClusterReady:
		r.stage = "servers are ready"
	case DriverOut:
		r.out = true
	case TestStarted:
		r.test, r.testBegan, r.stage, r.counts, r.force = e.Test, e.Time, "clients start", nil, nil
	case TestEnded:
		r.test, r.phase, r.stage, r.force = "", "", "between two tests", nil
		r.ended++
	case PhaseStarted:
		r.phase, r.phaseBegan, r.counts = e.Phase, e.Time, nil
	case Tick:
		if r.phase == e.Phase && r.test == e.Test { // else it comes too late
			r.take(e)
		}
	case PhaseEnded:
		r.take(e)
		r.phase, r.stage = "", "between two phases"
	case FaultInjected:
		r.force = append(r.force, e)
	case FaultHealed:
		r.force = slices.DeleteFunc(r.force, func(o Event) bool { return o.Injection.Step == e.Injection.Step })
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

// left estimates how long the tests still take: the phases that run alone one driver after another, and the others as
// long as the slowest driver needs. A phase that ran before is taken to last as long again.
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

// turn is how long the status line shows one of several drivers.
const turn = 3 * time.Second

// line is the status line, in at most width columns: the times and incidents of the run and, in turn, one of the
// drivers that are at work.
func (s *state) line(now time.Time, width int) string {
	cells := s.times(now)
	if working := s.working(); len(working) > 0 && !s.judging {
		cells = append(cells, working[int(max(0, now.Sub(s.began))/turn)%len(working)].status(now))
	}
	return text.Snip(printable(strings.Join(cells, "  ")), width, "…")
}

// times says how long the run takes, and how many incidents there are.
func (s *state) times(now time.Time) []string {
	left := s.left(now).Round(time.Second)
	cells := []string{fmt.Sprintf("%v elapsed", now.Sub(s.began).Round(time.Second))}
	switch {
	case s.judging:
		cells = append(cells, "judging the histories")
	case len(s.working()) == 0:
		cells = append(cells, "all tests are over")
	case left > 0:
		cells = append(cells, fmt.Sprintf("about %v left", left))
	default:
		cells = append(cells, "longer than expected")
	}
	if p := s.place; p != nil {
		cells = append(cells, fmt.Sprintf("run %d of %d, %v in all", p.N, p.Of, (left+p.Left).Round(time.Second)))
	}
	incidents := 0
	for _, r := range s.rows {
		for _, n := range r.incidents {
			incidents += n
		}
	}
	if incidents > 0 {
		cells = append(cells, units.Plural(incidents, "incident"))
	}
	return cells
}

// working lists the drivers that have a phase under way or, if none has, those that have tests left.
func (s *state) working() []*row {
	var left, phase []*row
	for _, r := range s.rows {
		if r.out || r.ended == len(r.tests) {
			continue
		}
		left = append(left, r)
		if r.phase != "" {
			phase = append(phase, r)
		}
	}
	if len(phase) > 0 {
		return phase
	}
	return left
}

// status says what one driver does.
func (r *row) status(now time.Time) string { return r.driver + ": " + r.doing(now) }

// doing says what the driver does, without its name.
func (r *row) doing(now time.Time) string {
	if r.phase == "" {
		return r.stage
	}
	s := ""
	if len(r.tests) > 1 {
		s += fmt.Sprintf("test %d of %d, ", r.ended+1, len(r.tests))
	}
	s += fmt.Sprintf("%s %v", r.phase, now.Sub(r.phaseBegan).Round(time.Second))
	if c := r.counts; c != nil {
		s += fmt.Sprintf(", %.0f grants/s", c.Rate)
		if c.P99 > 0 {
			s += ", p99 " + units.Duration(c.P99)
		} else if c.Max > 0 { // too few for a percentile
			s += ", max " + units.Duration(c.Max)
		}
	}
	for _, f := range r.force {
		s += ", " + f.Fault + " " + f.Target
	}
	return s
}
