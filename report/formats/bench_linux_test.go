package formats_test

import (
	"bufio"
	"cmp"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/html"
	"github.com/lockbench/lockbench/report/internal/sample"
)

// BenchmarkReport reads saved runs of so many ops, each with its invoke and its end, and writes their page: all that
// lockbench report does. Ten million must take less than 20 s on two cores and 300 MiB: what an op costs does not
// grow, nor does the memory.
func BenchmarkReport(b *testing.B) {
	for _, ops := range []int64{100_000, 1_000_000, 10_000_000} {
		b.Run(strconv.FormatInt(ops, 10), func(b *testing.B) {
			dir := longRun(b, ops)
			b.ResetTimer()
			for b.Loop() {
				m, err := report.Build(string(dir))
				if err != nil {
					b.Fatal(err)
				}
				must.Succeed(b, html.Render(io.Discard, report.Of(m), report.Options{}))
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(ops)/float64(b.N), "ns/one")
			var used syscall.Rusage
			must.Succeed(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
			b.ReportMetric(float64(used.Maxrss)/1024, "peak-MiB") // Linux counts KiB
		})
	}
}

// longRun saves a run of one test, in which eight workers hand on a lock and write; every thousandth time two hold it.
func longRun(b *testing.B, ops int64) results.Dir {
	b.Helper()
	started := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	run := results.Run{
		Format: results.Format, Scenario: "long", Started: started, Finished: started.Add(time.Hour), Status: results.Complete, Workload: results.Workload{AcquireTimeout: time.Second}, Plan: []results.PlannedPhase{{Name: "all", Latency: true}},
		Drivers: []results.Driver{{Name: "d", Title: "Lock", Status: results.Complete}},
		Tests:   []results.Test{{Name: "d.a", Driver: "d", Status: results.Complete, Phases: []results.Phase{{Name: "all"}}}},
	}
	dir, err := results.Create(b.TempDir(), run.Scenario, run.Started)
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(dir.History("d.a"))
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	n := int64(0)
	var later []history.Op // that come after the next line
	put := func(at int64, op history.Op) {
		op.Time = at
		later = append(later, op)
	}
	// write writes what comes before a time, in the order of times.
	write := func(until int64) {
		slices.SortStableFunc(later, func(a, b history.Op) int { return cmp.Compare(a.Time, b.Time) })
		done := 0
		for ; done < len(later) && later[done].Time < until; done++ {
			later[done].Index = n
			n++
			if _, err := w.Write(history.AppendLine(nil, &later[done])); err != nil {
				b.Fatal(err)
			}
		}
		later = later[:copy(later, later[done:])]
	}
	result := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Invalid}}
	put(0, history.Op{Client: "nemesis", Process: history.NemesisProcess, Type: history.Invoke, F: history.Phase, Phase: "all"})
	for i := range ops / 3 { // an acquire, a read, a release
		op := history.Op{Client: "c1", Process: i % 8, Type: history.Invoke, F: history.Acquire, Lock: "lock-1", Grant: i/8 + 1}
		at, length := i*sample.Milli, sample.Milli-sample.Micro
		if i%1000 == 0 {
			length += 500 * sample.Micro
			next := checker.GrantID{Process: (i + 1) % 8, Grant: (i+1)/8 + 1}
			result.Incidents = append(result.Incidents, checker.Incident{
				Lock: "lock-1", Kinds: []string{"overlap"}, Grants: []checker.GrantID{{Process: op.Process, Grant: op.Grant}, next}, Begin: at + sample.Milli + 100*sample.Micro, End: at + 100*sample.Micro + length,
			})
		}
		put(at, op)
		op.Type = history.OK
		put(at+100*sample.Micro, op)
		read := history.Op{Client: op.Client, Process: op.Process, Type: history.Invoke, F: history.Read, Lock: op.Lock, Grant: op.Grant, Request: 1}
		put(at+200*sample.Micro, read)
		read.Type, read.Seq, read.Version = history.Apply, uint64(i)+1, history.Some(0)
		put(at+300*sample.Micro, read)
		read.Type, read.Seq = history.OK, 0
		put(at+400*sample.Micro, read)
		op.F, op.Type = history.Release, history.Invoke
		put(at+100*sample.Micro+length, op)
		op.Type = history.OK
		put(at+120*sample.Micro+length, op)
		write(at + sample.Milli)
	}
	write(math.MaxInt64)
	must.Succeed(b, w.Flush())
	must.Succeed(b, f.Close())
	must.Succeed(b, dir.WriteRun(&run))
	must.Succeed(b, dir.WriteVerdicts(&results.Verdicts{Format: results.Format, Tests: []results.TestVerdict{{Test: "d.a", Result: result}}}))
	return dir
}
