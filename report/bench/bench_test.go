package bench

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/internal/sample"
)

// readBench reads lines as benchstat does.
func readBench(t *testing.T, text string) []*benchfmt.Result {
	t.Helper()
	var all []*benchfmt.Result
	r := benchfmt.NewReader(strings.NewReader(text), "bench.txt")
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			all = append(all, rec.Clone())
		default:
			t.Errorf("%v", rec)
		}
	}
	must.Succeed(t, r.Err())
	return all
}

func TestBenchIsReadBack(t *testing.T) {
	m := sample.Run(t)
	lines := readBench(t, sample.Render(t, Render, m))
	var names []string
	for _, line := range lines {
		names = append(names, string(line.Name))
		config := map[string]string{}
		for _, c := range line.Config {
			config[c.Key] = string(c.Value)
		}
		want := map[string]string{"goos": "linux", "goarch": "amd64", "pkg": "github.com/lockbench/lockbench", "cpu": "Model & Make", "scenario": "partition",
			"workload": "acquire-timeout=1s clients=3 hold=2ms..10ms ttl=2s workers=2 drivers=etcd,postgres-row,redis-redlock,redis-setnx,zookeeper"}
		if !maps.Equal(config, want) {
			t.Errorf("%s: %v", line.Name, config)
		}
	}
	want := []string{
		"Acquire/driver=redis-setnx/kind=uncontended-2", "Acquire/driver=redis-setnx/kind=contended-2",
		"Acquire/driver=redis-redlock/kind=uncontended-2", "Acquire/driver=redis-redlock/kind=contended-2",
		"Acquire/driver=etcd/kind=uncontended-2", "Acquire/driver=etcd/kind=contended-2", "Acquire/driver=etcd/kind=hand-off-2",
	}
	if !slices.Equal(names, want) {
		t.Fatalf("%q", names)
	}
	first, l := lines[0], m.Rows[0].Latency
	if first.Iters != int(l.Samples) {
		t.Errorf("%d samples", first.Iters)
	}
	rate, _ := l.Throughput()
	for unit, want := range map[string]float64{ // as benchstat shows them
		"sec/op": l.Histogram.Mean() / 1e9, "p50-sec": l.Quantile(0.5).D.Seconds(), "p99-sec": l.Quantile(0.99).D.Seconds(),
		"p99.9-sec": l.Quantile(0.999).D.Seconds(), "max-sec": l.Max().D.Seconds(), "grants/s": rate,
	} {
		if got, ok := first.Value(unit); !ok || math.Abs(got-want) > 1e-6*want {
			t.Errorf("%s: %v, %v, want %v", unit, got, ok, want)
		}
	}
	handOff := lines[len(lines)-1]
	if _, ok := handOff.Value("grants/s"); ok || len(handOff.Values) != 5 {
		t.Errorf("hand-offs have no rate: %v", handOff.Values)
	}
}

// Zero would be compared with numbers.
func TestBenchLeavesOutWhatWasNotMeasured(t *testing.T) {
	lines := readBench(t, sample.Render(t, Render, sample.Tables(t)))
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		if _, ok := line.Value("p99-sec"); !ok {
			t.Errorf("%s: there is no p99 of %d", line.Name, line.Iters)
		}
		for _, v := range line.Values { // a zero would keep its ns
			if strings.HasPrefix(v.Unit, "p99.9-") {
				t.Errorf("%s: p99.9 of %d samples is %v", line.Name, line.Iters, v)
			}
		}
	}
	if got := sample.Render(t, Render, sample.Empty()); len(readBench(t, got)) > 0 {
		t.Errorf("of nothing: %q", got)
	}
}

// What differs from round to round must not keep benchstat from putting them together.
func TestBenchOfRounds(t *testing.T) {
	one, other, swept := sample.Run(t), sample.Run(t), sample.Run(t)
	other.Run.Seed, other.Run.Version, other.Run.Started = 8, "v0.2.0", other.Run.Started.Add(time.Hour)
	other.Run.Round = &results.Round{N: 2, Of: 2}
	swept.Run.Workload, swept.Run.Sweep = results.Workload{}, &results.Sweep{Path: "$.workload.ttl", Value: "2s"}
	var b bytes.Buffer
	must.Succeed(t, Render(&b, report.Of(one, other, swept), report.Options{}))
	lines := readBench(t, b.String())
	n := len(lines) / 3
	for i := range n {
		a, b, c := lines[i], lines[n+i], lines[2*n+i]
		if !slices.EqualFunc(a.Config, b.Config, func(x, y benchfmt.Config) bool { return x.Key == y.Key && bytes.Equal(x.Value, y.Value) }) {
			t.Errorf("%v and %v", a.Config, b.Config)
		}
		if a.GetConfig("sweep") != "" || c.GetConfig("sweep") != "$.workload.ttl = 2s" {
			t.Errorf("%v and %v", a.Config, c.Config)
		}
	}
}
