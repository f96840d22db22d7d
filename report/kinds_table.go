package report

import (
	"fmt"

	"github.com/lockbench/lockbench/internal/results"
)

// kindsTable is in every report, before the tables that the run asks for.
var kindsTable = Table{
	ID: "latency", Title: "Latency by kind",
	About: "In phases without a fault only. Uncontended: acquires of one worker alone, from the call to the return. Contended: acquires " +
		"where several workers ask for the lock, likewise. Hand-off: from the end of a hold, when somebody is waiting already, to " +
		"the return of the next grant. Proxies: what they cost of the p50, as estimated below.",
	Columns: []string{"Uncontended", "Contended", "Hand-off"},
}

func (r *Row) latencyCells() ([][]string, string) {
	var cells [][]string
	for _, k := range Kinds() {
		l := r.Of(k)
		cell := l.lines()
		if k == Uncontended && l.Samples > 0 {
			cell = append(cell, r.Proxies.String())
		}
		cells = append(cells, cell)
	}
	return cells, ""
}

// lines are the latency in a cell, or why there is none.
func (l Latency) lines() []string {
	if l.Samples == 0 {
		return []string{dash, l.Reason}
	}
	var lines []string
	for _, q := range []float64{0.5, 0.99, 0.999} {
		if s := l.Quantile(q); s.Measured {
			lines = append(lines, fmt.Sprintf("p%g %s", q*100, s))
		} else {
			lines = append(lines, s.Reason)
		}
	}
	lines = append(lines, "max "+l.Max().String(), fmt.Sprintf("n %d", l.Samples))
	if l.NotGranted > 0 {
		lines = append(lines, fmt.Sprintf("%d not granted", l.NotGranted))
	}
	return lines
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
	if n, ok := r.measuredTrips(); ok {
		trips = n
	}
	switch {
	case run.Direct:
		return ProxyPart{Cost: unmeasured("no proxies")}
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

// String is "proxies 34.0 µs, 16 %", or why that is not known.
func (p ProxyPart) String() string {
	if !p.Cost.Measured {
		return p.Cost.Reason
	}
	return fmt.Sprintf("proxies %s, %.0f %%", p.Cost, 100*p.Part)
}
