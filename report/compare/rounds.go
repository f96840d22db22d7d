package compare

import (
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// Rounds is what several runs of the same say together.
type Rounds struct {
	Set  *Set
	Rows []RoundsRow // in the order in which the runs first name the drivers
}

// RoundsRow is one driver over all rounds.
type RoundsRow struct {
	Driver results.Driver
	// Rounds are the driver's rows; those that came to nothing are among them.
	Rounds []*report.Row
}

// NewRounds puts the runs of a set together; the error says why they are not rounds of the same.
func NewRounds(s *Set) (*Rounds, error) {
	if err := s.Same(); err != nil {
		return nil, err
	}
	all := &Rounds{Set: s}
	for _, m := range s.Runs {
		for i := range m.Rows {
			r := &m.Rows[i]
			at := slices.IndexFunc(all.Rows, func(o RoundsRow) bool { return o.Driver.Name == r.Driver.Name })
			if at < 0 {
				at = len(all.Rows)
				all.Rows = append(all.Rows, RoundsRow{Driver: r.Driver})
			}
			if _, known := report.MeasuredTrips(&all.Rows[at].Driver); !known {
				all.Rows[at].Driver.RoundTripsMeasured = r.Driver.RoundTripsMeasured
			}
			all.Rows[at].Rounds = append(all.Rows[at].Rounds, r)
		}
	}
	return all, nil
}

// figure is a length of time that each round measures.
type figure struct {
	name string
	kind report.Kind
	stat string
	// compared is true if two sets are compared by it. What is further out than p99 hangs on a few acquires of each
	// round.
	compared bool
	of       func(*report.Row) measure.Span
}

func figures() []figure {
	var all []figure
	for _, k := range latencyKinds() {
		for _, s := range []struct {
			stat     string
			compared bool
			of       func(measure.Latency) measure.Span
		}{
			{"p50", true, func(l measure.Latency) measure.Span { return l.Quantile(0.5) }},
			{"p99", true, func(l measure.Latency) measure.Span { return l.Quantile(0.99) }},
			{"p99.9", false, func(l measure.Latency) measure.Span { return l.Quantile(0.999) }},
			{"max", false, measure.Latency.Max},
		} {
			all = append(all, figure{k.name + "_" + strings.ReplaceAll(s.stat, ".", ""), k.kind, s.stat, s.compared, func(r *report.Row) measure.Span { return s.of(r.Of(k.kind)) }})
		}
		if k.kind == report.Uncontended {
			all = append(all, figure{k.name + "_proxies", k.kind, "proxies", false, func(r *report.Row) measure.Span { return r.Proxies.Cost }})
		}
	}
	return all
}

// answers is how the rounds answer one question.
type answers struct {
	// rounds is how many asked it, and states how many of them answered what.
	rounds int
	states map[report.State]int
	// expected is true if the scenario expects all violations.
	expected bool
	// one is an answer of the worst kind.
	one report.Finding
	// incidents are those of the rounds in which every test came to its end and was judged.
	incidents report.Estimate
}

func (r *RoundsRow) ask(q report.Question) answers {
	a := answers{states: map[report.State]int{}, expected: true}
	var found []float64
	missed := false
	for i, row := range r.Rounds {
		f := q.Of(row)
		if i == 0 || f.State.Severity() > a.one.State.Severity() {
			a.one = f
		}
		a.rounds++
		a.states[f.State]++
		a.expected = a.expected && (f.State != report.Invalid || f.Expected)
		if f.Complete {
			found = append(found, float64(f.Incidents))
		} else if !row.Nothing() {
			missed = true
		}
	}
	a.expected = a.expected && a.states[report.Invalid] > 0
	if a.incidents = estimate(found); missed {
		a.incidents = withoutInterval(a.incidents) // what ended early may have for the very violations
	}
	return a
}

// asked reports whether any round has an answer, though it be unknown.
func (a answers) asked() bool {
	return a.states[report.NotApplicable] < a.rounds && (a.one.State != report.NotRun || !a.one.NotAsked)
}

// measure sums up what the rounds measured.
func (r *RoundsRow) measure(f figure) report.Estimate {
	var values []float64
	missed := false
	for _, row := range r.Rounds {
		if s := f.of(row); s.Measured {
			values = append(values, float64(s.D))
		} else if !row.Nothing() {
			missed = true
		}
	}
	e := estimate(values)
	if missed {
		return withoutInterval(e) // the rounds that have too few samples for a percentile are the slow ones
	}
	return e
}

// why is why none of the rounds measured a figure.
func (r *RoundsRow) why(f figure) string {
	for _, row := range r.Rounds {
		if s := f.of(row); s.Reason != "" {
			return s.Reason
		}
	}
	return "no round has this lock"
}

// nothing is the driver's status if it came to nothing in every round; empty: it did come to something.
func (r *RoundsRow) nothing() string {
	for _, row := range r.Rounds {
		if !row.Nothing() {
			return ""
		}
	}
	return string(r.Rounds[0].Driver.Status)
}

func figureOf(kind report.Kind, stat string) figure {
	all := figures()
	return all[slices.IndexFunc(all, func(f figure) bool { return f.kind == kind && f.stat == stat })]
}

// latencyKind is a kind of latency under the names that figures and tables give it.
type latencyKind struct {
	name, title string
	kind        report.Kind
}

func latencyKinds() []latencyKind {
	return []latencyKind{{"acquire", "Uncontended", report.Uncontended}, {"contended", "Contended", report.Contended}, {"hand_off", "Hand-off", report.HandOff}}
}
