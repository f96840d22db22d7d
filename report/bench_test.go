package report

import (
	"bufio"
	"io"
	"os"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

// BenchmarkReport reads a saved run of a million ops, each with its invoke and its end, and writes its page: all that lockbench
// report does.
func BenchmarkReport(b *testing.B) {
	const ops = 1_000_000
	dir := longRun(b, ops)
	b.ResetTimer()
	for b.Loop() {
		m, err := Build(string(dir))
		if err != nil {
			b.Fatal(err)
		}
		if err := Render(io.Discard, HTML, m, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(ops)*float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

// longRun saves a run of one test, in which eight workers hand on a lock and write; every thousandth time two hold it.
func longRun(b *testing.B, ops int64) results.Dir {
	b.Helper()
	started := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	run := results.Run{
		Format: results.Format, Scenario: "long", Started: started, Finished: started.Add(time.Hour), Status: results.Complete, Settings: map[string]string{"acquire-timeout": "1s"},
		Drivers: []results.Driver{{Name: "d", Title: "Lock", Status: results.Complete}},
		Tests:   []results.Test{{Name: "d.a", Driver: "d", Status: results.Complete, Phases: []results.Phase{{Name: "all", Latency: true}}}},
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
	put := func(at int64, op history.Op) {
		op.Index, op.Time = n, at
		n++
		if _, err := w.Write(history.AppendLine(nil, &op)); err != nil {
			b.Fatal(err)
		}
	}
	result := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Invalid}}
	put(0, history.Op{Client: "nemesis", Process: history.NemesisProcess, Type: history.Invoke, F: history.Phase, Value: "all"})
	for i := range ops / 3 { // an acquire, a read, a release
		op := history.Op{Client: "c1", Process: i % 8, Type: history.Invoke, F: history.Acquire, Lock: "lock-1", Grant: i/8 + 1}
		at, length := i*milli, milli-micro
		if i%1000 == 0 {
			length += 500 * micro
			next := checker.GrantID{Process: (i + 1) % 8, Grant: (i+1)/8 + 1}
			result.Incidents = append(result.Incidents, checker.Incident{
				Lock: "lock-1", Kinds: []string{"overlap"}, Grants: []checker.GrantID{{Process: op.Process, Grant: op.Grant}, next}, Begin: at + milli + 100*micro, End: at + 100*micro + length,
			})
		}
		put(at, op)
		op.Type = history.OK
		put(at+100*micro, op)
		write := history.Op{Client: op.Client, Process: op.Process, Type: history.Invoke, F: history.Read, Lock: op.Lock, Grant: op.Grant, Request: 1}
		put(at+200*micro, write)
		write.Type, write.Seq, write.Version = history.Apply, uint64(i)+1, history.Some(0)
		put(at+300*micro, write)
		write.Type, write.Seq = history.OK, 0
		put(at+400*micro, write)
		op.F, op.Type = history.Release, history.Invoke
		put(at+100*micro+length, op)
		op.Type = history.OK
		put(at+120*micro+length, op)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	if err := dir.WriteRun(&run); err != nil {
		b.Fatal(err)
	}
	if err := dir.WriteVerdicts(&results.Verdicts{Format: results.Format, Tests: []results.TestVerdict{{Test: "d.a", Result: result}}}); err != nil {
		b.Fatal(err)
	}
	return dir
}
