package report

import (
	"fmt"
	"math"
	"time"
)

// chart is the plot of acquire latencies on a logarithmic axis. Positions are percentages of the axis.
type chart struct {
	Ticks []tick
	Bars  []bar
}

type tick struct {
	At     float64
	Label  string
	Anchor string // SVG text-anchor: the outer labels must not leave the picture
}

// bar is one driver; without Measured only Reason is shown.
type bar struct {
	Title              string
	P50, P99, P999     Span
	At50, At99, At999  float64
	Measured, Has999   bool
	Reason, Accessible string
}

// newChart plots the rows' p50, p99 and p99.9; nil if nothing was measured.
func newChart(rows []Row) *chart {
	low, high := math.Inf(1), math.Inf(-1)
	for i := range rows {
		for _, q := range []float64{0.5, 0.99, 0.999} {
			if s := rows[i].Latency.Quantile(q); s.Measured && s.D > 0 {
				low, high = min(low, math.Log10(float64(s.D))), max(high, math.Log10(float64(s.D)))
			}
		}
	}
	if low > high {
		return nil
	}
	low = math.Floor(low)
	high = max(math.Ceil(high), low+1)
	at := func(s Span) float64 {
		return math.Round((math.Log10(float64(max(s.D, 1)))-low)/(high-low)*1e4) / 100
	}
	c := &chart{}
	for e := low; e <= high; e++ {
		t := tick{At: math.Round((e-low)/(high-low)*1e4) / 100, Label: formatRound(e), Anchor: "middle"}
		switch e {
		case low:
			t.Anchor = "start"
		case high:
			t.Anchor = "end"
		}
		c.Ticks = append(c.Ticks, t)
	}
	for i := range rows {
		c.Bars = append(c.Bars, newBar(&rows[i], at))
	}
	return c
}

func newBar(r *Row, at func(Span) float64) bar {
	b := bar{Title: r.Driver.Title, P50: r.Latency.Quantile(0.5), P99: r.Latency.Quantile(0.99), P999: r.Latency.Quantile(0.999)}
	if !b.P50.Measured || !b.P99.Measured {
		b.Reason = string(r.Driver.Status)
		if !r.nothing() {
			b.Reason = b.P99.Reason
		}
		return b
	}
	b.Measured, b.Has999 = true, b.P999.Measured
	b.At50, b.At99, b.At999 = at(b.P50), at(b.P99), at(b.P999)
	b.Accessible = r.Driver.Title + ": p50 " + b.P50.String() + ", p99 " + b.P99.String() + ", p99.9 " + b.P999.String()
	return b
}

// formatRound writes 10^e nanoseconds without decimals.
func formatRound(e float64) string {
	ns := math.Pow(10, e)
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"s", time.Second}, {"ms", time.Millisecond}, {"µs", time.Microsecond}} {
		if ns >= float64(u.unit) {
			return fmt.Sprintf("%.0f %s", ns/float64(u.unit), u.name)
		}
	}
	return fmt.Sprintf("%.0f ns", ns)
}
