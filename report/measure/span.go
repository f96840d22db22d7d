package measure

import (
	"strconv"
	"time"

	"github.com/lockbench/lockbench/internal/units"
)

// Span is a measured length of time, or why there is none. It is never zero for want of a measurement.
type Span struct {
	D        time.Duration
	Measured bool
	// Reason says why nothing was measured.
	Reason string
}

func SpanOf(ns int64) Span      { return Span{D: time.Duration(ns), Measured: true} }
func NoSpan(reason string) Span { return Span{Reason: reason} }

// Longer returns the longer of two spans; a measured one wins.
func (s Span) Longer(o Span) Span {
	if o.Measured && (!s.Measured || o.D > s.D) || s == (Span{}) {
		return o
	}
	return s
}

// Slower is longer for spans until something happened: what never happened wins.
func (s Span) Slower(o Span) Span {
	switch {
	case s == (Span{}) || s.Measured && !o.Measured:
		return o
	case !s.Measured:
		return s
	}
	return s.Longer(o)
}

// String writes the span with three significant digits and a unit, or "–".
func (s Span) String() string {
	if !s.Measured {
		return Dash
	}
	return units.Duration(s.D)
}

// Micros writes the span in microseconds with nothing but digits and a point, or NA, for files.
func (s Span) Micros() string {
	if !s.Measured {
		return NotAvailable
	}
	return strconv.FormatFloat(float64(s.D)/1e3, 'f', 3, 64)
}

const (
	Dash         = "–"  // for people: not measured
	NotAvailable = "NA" // for programs: not measured
)
