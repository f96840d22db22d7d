package report

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Span is a measured length of time, or why there is none. It is never zero for want of a measurement.
type Span struct {
	D        time.Duration
	Measured bool
	// Reason says why nothing was measured.
	Reason string
}

func measured(ns int64) Span        { return Span{D: time.Duration(ns), Measured: true} }
func unmeasured(reason string) Span { return Span{Reason: reason} }

// longer returns the longer of two spans; a measured one wins.
func (s Span) longer(o Span) Span {
	if o.Measured && (!s.Measured || o.D > s.D) || s == (Span{}) {
		return o
	}
	return s
}

// slower is longer for spans until something happened: what never happened wins.
func (s Span) slower(o Span) Span {
	switch {
	case s == (Span{}) || s.Measured && !o.Measured:
		return o
	case !s.Measured:
		return s
	}
	return s.longer(o)
}

// String writes the span with three significant digits and a unit, or "–".
func (s Span) String() string {
	if !s.Measured {
		return dash
	}
	return formatDuration(s.D)
}

// Micros writes the span in microseconds with nothing but digits and a point, or NA, for files.
func (s Span) Micros() string {
	if !s.Measured {
		return notAvailable
	}
	return strconv.FormatFloat(float64(s.D)/1e3, 'f', 3, 64)
}

const (
	dash         = "–"  // for people: not measured
	notAvailable = "NA" // for programs: not measured
)

// formatDuration writes d with three significant digits.
func formatDuration(d time.Duration) string {
	units := []struct {
		name string
		ns   float64
	}{{"ns", 1}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}}
	for _, u := range units {
		v := float64(d) / u.ns
		// What rounds to 1000 is written in the next unit.
		if u.name == "s" || math.Abs(v) < 999.5 {
			if u.name == "ns" {
				return fmt.Sprintf("%d ns", int64(d))
			}
			return formatNumber(v) + " " + u.name
		}
	}
	return dash
}

// formatNumber writes v with three significant digits and no exponent.
func formatNumber(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	scale := math.Pow10(digits)
	rounded := math.Round(v*scale) / scale
	// 9.996 rounds to 10.0, which has one digit less behind the point.
	digits = 2 - int(math.Floor(math.Log10(math.Abs(rounded))))
	return strconv.FormatFloat(rounded, 'f', max(0, digits), 64)
}
