package report

import (
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
)

// renderBench writes runs in the Go benchmark format, which benchstat reads: a line for each driver and kind of latency that has
// samples. The error is that of w.
func renderBench(w io.Writer, runs []*Model) error {
	out := benchfmt.NewWriter(w)
	for i, m := range runs {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		// benchstat compares only what agrees in every key above it. So what may well differ between two runs that are to be
		// compared is a comment.
		if _, err := fmt.Fprintf(w, "# %s\n", printable(m.benchComment())); err != nil {
			return err
		}
		config := benchConfig(&m.Run)
		for r := range m.Rows {
			for _, k := range Kinds() {
				if m.Rows[r].Of(k).Samples == 0 {
					continue
				}
				line := benchLine(&m.Rows[r], k, m.Run.Host.Cores)
				line.Config = config
				if err := out.Write(line); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (m *Model) benchComment() string {
	parts := []string{"lockbench " + orElse(m.Run.Version, "of unknown version"), fmt.Sprintf("seed %d", m.Run.Seed), proxies(&m.Run) + " proxies"}
	if m.Run.Round != nil {
		parts = append(parts, m.Run.Round.String())
	}
	return strings.Join(append(parts, nonEmpty(m.Dir)...), ", ")
}

// benchConfig are the keys above the lines, as go test writes them, and what was run.
func benchConfig(run *results.Run) []benchfmt.Config {
	var all []benchfmt.Config
	for _, c := range []struct{ key, value string }{
		{"goos", run.Host.OS}, {"goarch", run.Host.Arch}, {"pkg", "github.com/lockbench/lockbench"}, {"cpu", run.Host.CPU},
		{"scenario", run.Scenario}, {"sweep", run.Settings[results.SweepSetting]}, {"workload", workload(run)},
	} {
		if c.value != "" {
			all = append(all, benchfmt.Config{Key: c.key, Value: []byte(printable(c.value)), File: true})
		}
	}
	return all
}

// workload names the settings, so that no two workloads are taken for one. Of the phases, which make a long line, it has a
// checksum.
func workload(run *results.Run) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(run.Settings)) {
		value := run.Settings[name]
		switch name {
		case results.SweepSetting:
			continue
		case results.PhasesSetting:
			value = fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(value)))
		}
		all = append(all, name+"="+value)
	}
	return strings.Join(append(all, "drivers="+strings.ReplaceAll(driverNames(run), " ", ",")), " ")
}

// benchLine is what was measured of one kind; what was not is not in it.
func benchLine(r *Row, k Kind, cores int) *benchfmt.Result {
	l := r.Of(k)
	name := "Acquire/driver=" + r.Driver.Name + "/kind=" + string(k)
	if cores > 1 { // as go test does
		name += "-" + strconv.Itoa(cores)
	}
	line := &benchfmt.Result{Name: benchfmt.Name(name), Iters: int(l.Samples)}
	add := func(value float64, unit string) {
		line.Values = append(line.Values, benchfmt.Value{Value: value, Unit: unit})
	}
	add(math.Round(l.hist.Mean()), "ns/op")
	for _, q := range []float64{0.5, 0.99, 0.999} {
		if s := l.Quantile(q); s.Measured {
			add(float64(s.D), fmt.Sprintf("p%g-ns", q*100))
		}
	}
	add(float64(l.max), "max-ns")
	if rate, ok := l.Throughput(); ok {
		add(math.Round(1000*rate)/1000, "grants/s")
	}
	return line
}
