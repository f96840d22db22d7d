package sample

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/histories"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// crowded has 200 hand-offs of 1 ms in 4 s, then two deadlocks, one for the server and one for the client, and then a
// leader that stands still while a second one comes.
func crowded(t testing.TB) []history.Op {
	var b strings.Builder
	fmt.Fprintln(&b, "0 nemesis phase many\n 0 p1 ask x\n 1 p1 ok\n 2 p2 ask x")
	for i, at := 0, 10; i < 200; i, at = i+1, at+20 {
		from, to := 1+i%2, 2-i%2
		fmt.Fprintf(&b, "%d p%d release\n %d p%d ok\n %d p%d ask x\n", at, from, at+1, to, at+2, from)
	}
	b.WriteString(`
		4010 p1 release
		4012 p2 fail held
		4015 nemesis end many
		4100 p1 ask x
		4101 p1 ok
		4102 p2 ask y
		4103 p2 ok
		4110 p1 ask y
		4120 p2 ask x
		5120 p2 fail deadlock detected
		5121 p2 release y
		5122 p1 ok
		5123 p1 release y
		5124 p1 release x
		5200 p2 ask y
		5201 p2 ok
		5202 p1 ask x
		5203 p1 ok
		5210 p1 ask y
		5220 p2 ask x
		7210 p1 fail context deadline exceeded
		7211 p1 release x
		7220 p2 ok
		7221 p2 release x
		7222 p2 release y
		8000 nemesis phase leader-paused
		8000 p1 ask x
		8001 p1 ok
		8009 nemesis inject c1
		8010 nemesis injected c1
		8020 p2 ask x
		9900 p2 ok
		11000 nemesis heal c1
		11001 nemesis healed c1
		11100 p1 abandon
		12000 p2 release
		12500 nemesis end leader-paused`)
	return histories.Read(t, b.String())
}

// Tables is a run with all tables: a lock that everything happens to, one that nothing happens to, one whose history is
// malformed, and one that did not run.
func Tables(t testing.TB) *report.Model {
	t.Helper()
	all := []results.Table{results.Contention, results.Deadlocks, results.Leadership}
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	f := Builder{Ops: map[string][]history.Op{}, Run: results.Run{
		Format: results.Format, Scenario: "everything", Summary: "Shows every table.", Seed: 7, Argv: []string{"lockbench", "run"},
		Started: at, Finished: at.Add(time.Minute), Status: results.Complete, Direct: true, Tables: all,
		Workload: results.Workload{Clients: 2, Workers: 1, AcquireTimeout: 2 * time.Second},
	}}
	judged := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Invalid, Reason: "1 overlap"}, Data: checker.Judgement{Verdict: checker.Valid}, Liveness: checker.Judgement{Verdict: checker.Valid}}
	judged.Counts.Overlap = 1
	judged.Incidents = []checker.Incident{{Lock: "x", Kinds: []string{"overlap"}, Begin: 9900 * Milli, End: 11100 * Milli}}
	calm := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Valid}, Data: checker.Judgement{Verdict: checker.Valid}, Liveness: checker.Judgement{Verdict: checker.Valid}}
	alone := histories.Read(t, "0 nemesis phase many\n 0 p1 ask x\n 9 p1 fail held\n 10 nemesis end many")
	malformed := histories.Read(t, "0 nemesis phase many\n 0 p1 ask x\n 9 p1 fail held\n 8 p1 ask x\n 10 nemesis end many")
	f.Driver(results.Driver{Name: "busy", Title: "Busy lock", Nodes: 1, RoundTrips: 1}, crowded(t), map[string]*checker.Result{"off.on": &judged})
	f.Driver(results.Driver{Name: "calm", Title: "Calm lock", Nodes: 1, RoundTrips: 1}, alone, map[string]*checker.Result{"off.on": &calm})
	f.Driver(results.Driver{Name: "broken", Title: "Lock with a broken history", Nodes: 1, RoundTrips: 1}, malformed, map[string]*checker.Result{"off.on": &calm})
	f.Driver(results.Driver{Name: "absent", Title: "Absent lock", Nodes: 1, RoundTrips: 1, Status: results.NotRun, Reason: "install <b>it</b>\x1b[31m"}, nil, nil)
	measured := map[string]measure.Measurement{}
	for i := range f.Run.Tests {
		test := &f.Run.Tests[i]
		test.Phases = nil
		if f.Ops[test.Name] == nil {
			continue
		}
		m, err := measure.Test(&f.Run, test, measure.Ops(f.Ops[test.Name]), f.Verdicts.On(test.Name))
		if err != nil {
			t.Fatal(err)
		}
		measured[test.Name] = m
	}
	return report.NewModel(f.Run, f.Verdicts, true, measured)
}
