package report

import (
	"fmt"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report/measure"
)

// latencyTables is what the names of the tables of the kinds begin with. They are in every report, before those that
// the run asks for.
const latencyTables = "latency-"

// table is the kind's, without lines.
func (k Kind) table() Table {
	t := Table{ID: latencyTables + results.Table(k), Numbers: true, Columns: []string{"p50", "p90", "p99", "p99.9", "max", "Samples", "Not granted"}}
	switch k {
	case Uncontended:
		t.Title = "Latency, uncontended"
		t.About = "Time from the call of an acquire to the grant, with one worker and no fault. Not granted: refused, timed " +
			"out or, in an open loop, scheduled but never sent; not in the percentiles. Proxies: the estimated part of the " +
			"p50 that our own proxies add. \"–\": too few samples (p99 needs 100, p99.9 needs 1000)."
		t.Columns = append(t.Columns, "Proxies")
	case Contended:
		t.Title = "Latency, contended"
		t.About = "The same with several workers, in phases without a fault."
	case HandOff:
		t.Title = "Latency of hand-offs"
		t.About = "Time from the end of a hold to the next grant, if somebody was already waiting; the same phases."
	}
	return t
}

func (r *Row) latencyCells(k Kind) ([]Cell, string) {
	l := r.Of(k)
	if l.Samples == 0 {
		if l.NotGranted > 0 {
			return nil, fmt.Sprintf("%s; %d not granted", l.Reason, l.NotGranted)
		}
		return nil, l.Reason
	}
	var cells []Cell
	for _, s := range []measure.Span{l.Quantile(0.5), l.Quantile(0.9), l.Quantile(0.99), l.Quantile(0.999), l.Max()} {
		cells = append(cells, CellOf(s))
	}
	cells = append(cells, CellOf(Number(l.Samples)), CellOf(Number(l.NotGranted)))
	if k == Uncontended {
		cells = append(cells, CellOf(r.Proxies))
	}
	return cells, ""
}

// ProxyPart is an estimate of what the proxies between clients and servers cost of an uncontended acquire: as often
// as it waits for its servers, measured if that was, what they add to a round trip at p50.
type ProxyPart struct {
	Cost measure.Span
	// Part is the cost as a part of the acquire's p50. An estimate may be above 1.
	Part float64
}

func proxyPart(run *results.Run, r *Row) ProxyPart {
	trip := run.ProxyCost.ProxyP50 - run.ProxyCost.DirectP50
	p50 := r.Latency.Quantile(0.5)
	trips := r.Driver.RoundTrips
	if n, ok := MeasuredTrips(&r.Driver); ok {
		trips = n
	}
	switch {
	case run.Direct:
		return ProxyPart{Cost: measure.NoSpan(noProxies)}
	case run.ProxyCost.ProxyP50 == 0:
		return ProxyPart{Cost: measure.NoSpan("proxies: their cost was not measured")}
	case trip <= 0:
		return ProxyPart{Cost: measure.NoSpan("proxies: their cost is below what was measurable")}
	case trips <= 0:
		return ProxyPart{Cost: measure.NoSpan("proxies: the round trips are not known")}
	case !p50.Measured || p50.D == 0:
		return ProxyPart{Cost: measure.NoSpan(p50.Reason)}
	}
	cost := measure.SpanOf(int64(trip) * int64(trips))
	return ProxyPart{Cost: cost, Part: float64(cost.D) / float64(p50.D)}
}

// String is "34.0 µs, 16 %", or "none" if there were no proxies.
func (p ProxyPart) String() string {
	switch {
	case p.Cost.Measured:
		return fmt.Sprintf("%s, %s", p.Cost, units.Percent(p.Part))
	case p.Cost.Reason == noProxies:
		return "none"
	}
	return measure.Dash
}

// noProxies is why proxies cost nothing.
const noProxies = "no proxies"
