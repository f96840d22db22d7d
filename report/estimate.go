package report

import (
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"
)

// IntervalRounds is the fewest rounds from which an interval is told. The widest that five values allow, from the lowest to
// the highest, covers the median with 93.75 %; that of fewer says too little to be worth telling.
const IntervalRounds = 5

// Estimate is what several rounds say about one figure: the median, and an interval that covers the true median whatever the
// figure's distribution is (order statistics; golang.org/x/perf/benchmath). The zero value is that of no rounds.
type Estimate struct {
	// Rounds is how many rounds measured the figure.
	Rounds int
	Median float64
	// Low and High bound the interval, and Confidence, 0 to 1, is how surely it covers; all 0 if there is none: below
	// IntervalRounds, or if rounds are missing that may have had another value for the very reason that they are.
	Low, High, Confidence float64
}

// estimate sums up the rounds' values.
func estimate(values []float64) Estimate {
	if len(values) == 0 {
		return Estimate{}
	}
	level := 0.95
	if len(values) == IntervalRounds {
		level = 0.93
	}
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds), level)
	e := Estimate{Rounds: len(values), Median: s.Center}
	if e.Rounds >= IntervalRounds {
		e.Low, e.High, e.Confidence = s.Lo, s.Hi, s.Confidence
	}
	return e
}

// withoutInterval is the median alone.
func (e Estimate) withoutInterval() Estimate { return Estimate{Rounds: e.Rounds, Median: e.Median} }

// HasInterval reports whether there is an interval.
func (e Estimate) HasInterval() bool { return e.Confidence > 0 }

// write writes the median and the interval. A unit that all of them have is written once.
func (e Estimate) write(value func(float64) string) string {
	switch {
	case e.Rounds == 0:
		return dash
	case !e.HasInterval():
		return value(e.Median)
	}
	median, low, high := value(e.Median), value(e.Low), value(e.High)
	if _, unit, ok := strings.Cut(median, " "); ok {
		shortLow, ok1 := strings.CutSuffix(low, " "+unit)
		shortHigh, ok2 := strings.CutSuffix(high, " "+unit)
		if ok1 && ok2 {
			low, high = shortLow, shortHigh
		}
	}
	return median + " [" + low + ", " + high + "]"
}

// difference is what two estimates of one figure say about each other.
type difference int

const (
	tooFewRounds     difference = iota // one of them has no interval
	intervalsOverlap                   // the intervals overlap
	below                              // all of the second's interval lies below the first's
	above
)

// compareTo says how other lies to e.
func (e Estimate) compareTo(other Estimate) difference {
	switch {
	case !e.HasInterval() || !other.HasInterval():
		return tooFewRounds
	case other.High < e.Low:
		return below
	case other.Low > e.High:
		return above
	default:
		return intervalsOverlap
	}
}

// word is the difference for programs; empty: nothing is known.
func (d difference) word() string {
	switch d {
	case below:
		return "lower"
	case above:
		return "higher"
	case intervalsOverlap:
		return "overlap"
	case tooFewRounds:
	}
	return ""
}
