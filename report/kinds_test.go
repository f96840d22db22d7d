package report

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report/measure"
)

func TestProxyPart(t *testing.T) {
	through := results.Run{ProxyCost: results.ProxyCost{DirectP50: 20 * time.Microsecond, ProxyP50: 50 * time.Microsecond}}
	direct, unmeasured, fast := through, through, through
	direct.Direct, direct.ProxyCost = true, results.ProxyCost{}
	unmeasured.ProxyCost = results.ProxyCost{}
	fast.ProxyCost.DirectP50 = 51 * time.Microsecond
	for _, tt := range []struct {
		name  string
		run   results.Run
		trips int
		p50   int64 // 0: not measured
		want  string
		part  float64
	}{
		{"through proxies", through, 2, 240_000, "60.0 µs, 25.0 %", .25},
		{"an estimate that is too high", through, 3, 60_000, "90.0 µs, 150 %", 1.5},
		{"direct", direct, 2, 240_000, "none", 0},
		{"cost not measured", unmeasured, 2, 240_000, measure.Dash, 0},
		{"cost not measurable", fast, 2, 240_000, measure.Dash, 0},
		{"trips not known", through, 0, 240_000, measure.Dash, 0},
		{"latency not measured", through, 2, 0, measure.Dash, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Row{Driver: results.Driver{RoundTrips: tt.trips}, Latency: measure.Latency{Reason: "no phase"}}
			for range 3 {
				if tt.p50 == 0 {
					break
				}
				must.Succeed(t, r.Latency.Record(tt.p50))
			}
			got := proxyPart(&tt.run, &r)
			if got.String() != tt.want || got.Part != tt.part {
				t.Errorf("%q, %v", got, got.Part)
			}
		})
	}
}

// Round trips that were measured count, and not those that the driver declares.
func TestProxyPartOfMeasuredTrips(t *testing.T) {
	run := results.Run{ProxyCost: results.ProxyCost{DirectP50: 20 * time.Microsecond, ProxyP50: 50 * time.Microsecond}}
	r := Row{Driver: results.Driver{RoundTrips: 2, RoundTripsMeasured: &results.RoundTrips{N: 3}}}
	for range 2 { // p50 takes two
		must.Succeed(t, r.Latency.Record(900_000))
	}
	if got := proxyPart(&run, &r).String(); got != "90.0 µs, 10.0 %" {
		t.Error(got)
	}
	r.Driver.RoundTripsMeasured = &results.RoundTrips{N: 3, Reason: "the machine is too busy"}
	if got := proxyPart(&run, &r).String(); got != "60.0 µs, 6.67 %" {
		t.Error(got)
	}
}
