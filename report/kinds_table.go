package report

import (
	"fmt"
	"strconv"

	"github.com/lockbench/lockbench/internal/results"
)

// latencyTables is what the names of the tables of the kinds begin with. They are in every report, before those that the run
// asks for.
const latencyTables = "latency-"

// table is the kind's, without lines.
func (k Kind) table() Table {
	t := Table{ID: latencyTables + results.Table(k), Numbers: true, Columns: []string{"p50", "p90", "p99", "p99.9", "max", "Samples", "Not granted"}}
	switch k {
	case Uncontended:
		t.Title = "Latency, uncontended"
		t.About = "From the call of an acquire to its return: one worker alone, no fault. " +
			"Not granted: refused, timed out or, in an open loop, due and never asked for; in no percentile. Proxies: what they cost of the p50, as estimated below. " +
			"– is a percentile of too few samples: p99 takes 100, p99.9 takes 1000."
		t.Columns = append(t.Columns, "Proxies")
	case Contended:
		t.Title = "Latency, contended"
		t.About = "The same where several workers ask for the lock, in phases without a fault."
	case HandOff:
		t.Title = "Latency of hand-offs"
		t.About = "From the end of a hold, when somebody is waiting already, to the return of the next grant; in the same phases."
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
	for _, s := range []Span{l.Quantile(0.5), l.Quantile(0.9), l.Quantile(0.99), l.Quantile(0.999), l.Max()} {
		cells = append(cells, cell(s.String()))
	}
	cells = append(cells, cell(strconv.FormatInt(l.Samples, 10)), cell(strconv.FormatInt(l.NotGranted, 10)))
	if k == Uncontended {
		cells = append(cells, cell(r.Proxies.String()))
	}
	return cells, ""
}

// ProxyPart is an estimate of what the proxies between clients and servers cost of an uncontended acquire: as often as it waits
// for its servers, measured if that was, what they add to a round trip at p50.
type ProxyPart struct {
	Cost Span
	// Part is the cost as a part of the acquire's p50. An estimate may be above 1.
	Part float64
}

func proxyPart(run *results.Run, r *Row) ProxyPart {
	trip := run.ProxyCost.ProxyP50 - run.ProxyCost.DirectP50
	p50 := r.Latency.Quantile(0.5)
	trips := r.Driver.RoundTrips
	if n, ok := measuredTrips(&r.Driver); ok {
		trips = n
	}
	switch {
	case run.Direct:
		return ProxyPart{Cost: unmeasured(noProxies)}
	case run.ProxyCost.ProxyP50 == 0:
		return ProxyPart{Cost: unmeasured("proxies: their cost was not measured")}
	case trip <= 0:
		return ProxyPart{Cost: unmeasured("proxies: their cost is below what was measurable")}
	case trips <= 0:
		return ProxyPart{Cost: unmeasured("proxies: the round trips are not known")}
	case !p50.Measured || p50.D == 0:
		return ProxyPart{Cost: unmeasured(p50.Reason)}
	}
	cost := measured(int64(trip) * int64(trips))
	return ProxyPart{Cost: cost, Part: float64(cost.D) / float64(p50.D)}
}

// String is "34.0 µs, 16 %", or "none" if there were no proxies.
func (p ProxyPart) String() string {
	switch {
	case p.Cost.Measured:
		return fmt.Sprintf("%s, %s", p.Cost, percent(p.Part))
	case p.Cost.Reason == noProxies:
		return "none"
	}
	return dash
}

// noProxies is why proxies cost nothing.
const noProxies = "no proxies"
