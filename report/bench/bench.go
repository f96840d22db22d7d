// Package bench writes latencies in formats of others: the Go benchmark format, and HdrHistogram's percentiles.
package bench

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
)

// Render writes runs in the Go benchmark format, which benchstat reads: a line for each driver and kind of latency
// that has samples. The error is that of w.
func Render(w io.Writer, d *report.Document, _ report.Options) error {
	out := benchfmt.NewWriter(w)
	for i, m := range d.Runs {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		// benchstat compares only what agrees in every key above it. So what may well differ between two runs that
		// are to be compared is a comment.
		if _, err := fmt.Fprintf(w, "# %s\n", report.Printable(comment(m))); err != nil {
			return err
		}
		keys := config(&m.Run)
		for r := range m.Rows {
			for _, k := range report.Kinds() {
				if m.Rows[r].Of(k).Samples == 0 {
					continue
				}
				one := line(&m.Rows[r], k, m.Run.Host.Cores)
				one.Config = keys
				if err := out.Write(one); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func comment(m *report.Model) string {
	parts := []string{"lockbench " + cmp.Or(m.Run.Version, "of unknown version"), fmt.Sprintf("seed %d", m.Run.Seed), report.Proxies(&m.Run) + " proxies"}
	if m.Run.Round != nil {
		parts = append(parts, m.Run.Round.String())
	}
	return strings.Join(append(parts, report.NonEmpty(m.Dir)...), ", ")
}

// config are the keys above the lines, as go test writes them, and what was run.
func config(run *results.Run) []benchfmt.Config {
	var all []benchfmt.Config
	for _, c := range []struct{ key, value string }{
		{"goos", run.Host.OS}, {"goarch", run.Host.Arch}, {"pkg", "github.com/lockbench/lockbench"}, {"cpu", run.Host.CPU},
		{"scenario", run.Scenario}, {"sweep", run.Settings()[results.SweepSetting]}, {"workload", workload(run)},
	} {
		if c.value != "" {
			all = append(all, benchfmt.Config{Key: c.key, Value: []byte(report.Printable(c.value)), File: true})
		}
	}
	return all
}

// workload names the settings, so that no two workloads are taken for one. Of the phases, which make a long line, it
// has a checksum.
func workload(run *results.Run) string {
	var all []string
	settings := run.Settings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		switch name {
		case results.SweepSetting:
			continue
		case results.OutlineSetting:
			value = fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(value)))
		}
		all = append(all, name+"="+value)
	}
	return strings.Join(append(all, "drivers="+strings.Join(report.DriverNames(run), ",")), " ")
}

// line is what was measured of one kind; what was not is not in it.
func line(r *report.Row, k report.Kind, cores int) *benchfmt.Result {
	l := r.Of(k)
	name := "Acquire/driver=" + r.Driver.Name + "/kind=" + string(k)
	if cores > 1 { // as go test does
		name += "-" + strconv.Itoa(cores)
	}
	line := &benchfmt.Result{Name: benchfmt.Name(name), Iters: int(l.Samples)}
	add := func(value float64, unit string) {
		line.Values = append(line.Values, benchfmt.Value{Value: value, Unit: unit})
	}
	add(math.Round(l.Histogram.Mean()), "ns/op")
	for _, q := range []float64{0.5, 0.99, 0.999} {
		if s := l.Quantile(q); s.Measured {
			add(float64(s.D), fmt.Sprintf("p%g-ns", q*100))
		}
	}
	add(float64(l.Max().D), "max-ns")
	if rate, ok := l.Throughput(); ok {
		add(math.Round(1000*rate)/1000, "grants/s")
	}
	return line
}
