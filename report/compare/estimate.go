package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/perf/benchmath"

	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// IntervalRounds is the fewest rounds from which an interval is told. The widest that five values allow, from the
// lowest to the highest, covers the median with 93.75 %; that of fewer says too little to be told.
const IntervalRounds = 5

// estimate sums up the rounds' values: their median, and an interval that covers the true median whatever the figure's
// distribution is (order statistics; golang.org/x/perf/benchmath). Below IntervalRounds there is no interval.
func estimate(values []float64) report.Estimate {
	if len(values) == 0 {
		return report.Estimate{}
	}
	level := 0.95
	if len(values) == IntervalRounds {
		level = 0.93
	}
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds), level)
	e := report.Estimate{Rounds: len(values), Median: s.Center}
	if e.Rounds >= IntervalRounds {
		e.Low, e.High, e.Confidence = s.Lo, s.Hi, s.Confidence
	}
	return e
}

// withoutInterval is the median alone.
func withoutInterval(e report.Estimate) report.Estimate {
	return report.Estimate{Rounds: e.Rounds, Median: e.Median}
}

// write writes the median and the interval; value writes a number and its unit. A unit that all of them have is
// written once.
func write(e report.Estimate, value func(float64) (number, unit string)) string {
	if e.Rounds == 0 {
		return measure.Dash
	}
	one := func(v float64) string {
		number, unit := value(v)
		return strings.TrimSuffix(number+" "+unit, " ")
	}
	median, unit := value(e.Median)
	if !e.HasInterval() {
		return one(e.Median)
	}
	low, unitOfLow := value(e.Low)
	high, unitOfHigh := value(e.High)
	if unitOfLow != unit || unitOfHigh != unit {
		return one(e.Median) + " [" + one(e.Low) + ", " + one(e.High) + "]"
	}
	return strings.TrimSuffix(median+" "+unit, " ") + " [" + low + ", " + high + "]"
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
func compareTo(e, other report.Estimate) difference {
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

// fewer says that not all rounds measured a figure.
func fewer(e report.Estimate, rounds int) string {
	if e.Rounds == rounds {
		return ""
	}
	return fmt.Sprintf(" in %d of %d", e.Rounds, rounds)
}

// formatNanoseconds writes nanoseconds with three significant digits and a unit.
func formatNanoseconds(ns float64) (number, unit string) {
	return units.DurationParts(time.Duration(math.Round(ns)))
}
