// Package sample makes runs to render, for tests.
package sample

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/histories"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

const (
	Micro = int64(time.Microsecond)
	Milli = int64(time.Millisecond)
	Sec   = int64(time.Second)
)

// partition is the history of a whole test: a thousand acquires of base to base×1000/2 while healthy, a holder cut in
// which one rival is granted after gap, and a majority cut in which nobody is.
func partition(base, gap int64, minority bool) []history.Op {
	var s histories.Script
	s.Phase(0, 2*Sec, "healthy", func() {
		for i := range int64(1000) {
			process, at := 1+i%3*10, i*2*Milli // c1 has three workers
			s.Acquire(process, at, at+base+i*base/1000, history.OK)
			if i < 999 {
				s.Release(process, at+base+i*base/1000+10*Micro)
			}
		}
	})
	s.Phase(2*Sec, 6*Sec, "holder-cut", func() {
		s.Fault(2*Sec+100*Milli, 5*Sec, "c1 from n1, both ways", func() {
			for at := 2*Sec + 200*Milli; at < 2*Sec+gap; at += Sec {
				s.Acquire(2, at, min(at+Sec, 2*Sec+gap), history.Fail)
			}
			s.Acquire(2, 2*Sec+gap, 2*Sec+gap+5*Milli, history.OK)
			s.Release(1, 4900*Milli)
			s.Release(2, 4950*Milli)
		}, func() { s.Acquire(2, 5*Sec+10*Milli, 5*Sec+12*Milli, history.OK); s.Release(2, 5*Sec+20*Milli) })
	})
	if minority {
		s.Phase(6*Sec, 8*Sec, "minority-cut", func() {
			s.Fault(6*Sec+100*Milli, 7*Sec, "n3", func() {
				s.Acquire(2, 6*Sec+200*Milli, 6*Sec+210*Milli, history.OK)
				s.Release(2, 6*Sec+300*Milli)
			}, func() { s.Acquire(2, 7*Sec+10*Milli, 7*Sec+12*Milli, history.OK); s.Release(2, 7*Sec+20*Milli) })
		})
	}
	s.Phase(8*Sec, 12*Sec, "majority-cut", func() {
		s.Fault(8*Sec+100*Milli, 11*Sec, "n1, n2", func() {
			s.Acquire(2, 8*Sec+200*Milli, 9*Sec+200*Milli, history.Info)
			s.Acquire(3, 9*Sec+200*Milli, 12*Sec+200*Milli, history.Info)
		}, func() { s.Acquire(4, 11*Sec+500*Milli, 11*Sec+734*Milli, history.OK) })
	})
	for i := range s.Ops {
		s.Ops[i].Index = int64(i)
	}
	return s.Ops
}

// Run is a run with every kind of row.
func Run(t testing.TB) *report.Model {
	t.Helper()
	run, verdicts, ops := Raw()
	measured := map[string]measure.Measurement{}
	for i := range run.Tests {
		if ops[run.Tests[i].Name] == nil {
			continue // it has no history
		}
		m, err := measure.Test(&run, &run.Tests[i], measure.Ops(ops[run.Tests[i].Name]), verdicts.On(run.Tests[i].Name))
		if err != nil {
			t.Fatal(err)
		}
		measured[run.Tests[i].Name] = m
	}
	m := report.NewModel(run, verdicts, true, measured)
	m.Dir = "results/20260304T050607Z-partition"
	return m
}

func Raw() (results.Run, results.Verdicts, map[string][]history.Op) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	f := Builder{Ops: map[string][]history.Op{}, Run: results.Run{
		Format: results.Format, Scenario: "partition", Summary: "Cuts the lock's holder, a minority and a majority of the servers off.",
		Seed: 7, Argv: []string{"lockbench", "run", "--scenario", "partition"}, Started: at, Finished: at.Add(141300 * time.Millisecond),
		Status: results.Complete, Version: "v0.1.0", Commit: "0123abc",
		Host:      results.Host{OS: "linux", Arch: "amd64", Kernel: "6.1.0", CPU: "Model & Make", Cores: 2, Memory: 8 << 30, Go: "go1.26"},
		ProxyCost: results.ProxyCost{DirectP50: 19 * time.Microsecond, ProxyP50: 46 * time.Microsecond, DirectP99: 80 * time.Microsecond, ProxyP99: 171 * time.Microsecond},
		Workload: results.Workload{
			TTL: 2 * time.Second, Clients: 3, Workers: 2, Hold: results.Range{Min: 2 * time.Millisecond, Max: 10 * time.Millisecond}, AcquireTimeout: time.Second,
		},
	}}
	valid := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Valid}, Data: checker.Judgement{Verdict: checker.Valid}, Liveness: checker.Judgement{Verdict: checker.Valid}}
	valid.Counts = checker.Counts{Attempts: 1004, Grants: 1002, Writes: 1000, Ambiguous: 2}
	broken := valid
	broken.Exclusion = checker.Judgement{Verdict: checker.Invalid, Reason: "1 overlap"}
	broken.Data = checker.Judgement{Verdict: checker.Invalid, Reason: "1 stale write"}
	broken.Counts.Overlap, broken.Counts.StaleWrite, broken.Counts.StaleDelayed = 1, 1, 1
	broken.Counts.OverlapTime, broken.Counts.LongestOverlap = 795*Milli, 795*Milli
	broken.Incidents = []checker.Incident{{
		Lock: "lock-1", Kinds: []string{"overlap", "stale_write"}, Grants: []checker.GrantID{{Process: 1, Grant: 334}, {Process: 2, Grant: 3}},
		Begin: 4*Sec + 105*Milli, End: 4*Sec + 900*Milli,
	}}
	saved := valid
	saved.Exclusion = broken.Exclusion
	saved.Counts.Overlap, saved.Counts.FencedOff = 1, 3
	saved.Counts.OverlapBrief, saved.Counts.OverlapTime, saved.Counts.LongestOverlap = 1, 400*Micro, 400*Micro
	saved.Counts.Told, saved.Counts.ToldLate, saved.Counts.WorstMargin = 2, 1, -718*Milli
	saved.Incidents = []checker.Incident{broken.Incidents[0]}
	saved.Incidents[0].Kinds = []string{"overlap"}
	unknown := valid
	unknown.Exclusion = checker.Judgement{Verdict: checker.Unknown, Reason: "only 2 attempts during majority-cut, 3 are needed"}
	unknown.Liveness = checker.Judgement{Verdict: checker.Invalid, Reason: "lock-1 was not granted within 6 s of the heal"}
	unknown.Counts.StuckLock = 1

	f.Driver(results.Driver{Name: "redis-setnx", Title: "Redis SETNX", Backend: "redis", Nodes: 1, RoundTrips: 1, RoundTripsMeasured: Trips(1), Version: "7.0.15", Summary: "SET NX PX with a random owner value", Lease: true, LossBy: "lockbench"},
		partition(300*Micro, 2100*Milli, false), map[string]*checker.Result{"off.on": &valid, "off.off": &broken})
	f.Driver(results.Driver{Name: "redis-redlock", Title: "Redis Redlock", Backend: "redis", Nodes: 5, RoundTrips: 1, RoundTripsMeasured: &results.RoundTrips{Reason: "the machine is too busy"}, Version: "7.0.15", Lease: true},
		partition(900*Micro, 1900*Milli, true), map[string]*checker.Result{"off.on": &unknown, "off.off": &valid})
	f.Driver(results.Driver{Name: "etcd", Title: "etcd", Backend: "etcd", Nodes: 3, RoundTrips: 2, RoundTripsMeasured: Trips(1), Version: "3.7.3", Token: "revision", Lease: true, Renewed: true, LossBy: "client library"},
		partition(2200*Micro, 2400*Milli, true), map[string]*checker.Result{"off.on": &valid, "off.off": &broken, "on.on": &valid, "on.off": &saved})
	f.Driver(results.Driver{Name: "zookeeper", Title: "ZooKeeper", Backend: "zookeeper", Nodes: 3, RoundTrips: 3, Token: "czxid",
		Status: results.NotRun, Reason: "ZooKeeper is not installed: apt-get install zookeeper default-jre-headless"}, nil, nil)
	f.Driver(results.Driver{Name: "postgres-row", Title: "PostgreSQL row lock", Backend: "postgres", Nodes: 1, RoundTrips: 4, Version: "15.10", Token: "counter",
		Status: results.Failed, Reason: "postgres n1 ended: <script>alert(1)</script>\x1b[31m \"quoted\", and more"}, nil, nil)

	for i := range f.Run.Tests {
		t := &f.Run.Tests[i]
		if t.Driver == "redis-setnx" && !t.Heeding {
			t.Expect = &results.Expect{Exclusion: "invalid", Data: "invalid"}
		}
		if t.Driver == "redis-redlock" && !t.Heeding {
			t.Expect = &results.Expect{Exclusion: "invalid"}
		}
	}
	return f.Run, f.Verdicts, f.Ops
}

// Trips are measured round trips.
func Trips(n int) *results.RoundTrips {
	return &results.RoundTrips{N: n, Acquires: 9, Delay: 20 * time.Millisecond, Longer: time.Duration(n) * 20 * time.Millisecond}
}

type Builder struct {
	Run      results.Run
	Verdicts results.Verdicts
	Ops      map[string][]history.Op // by test
}

// Driver adds a driver with its four tests; by "fencing.heed" those with a result ran.
func (f *Builder) Driver(d results.Driver, ops []history.Op, judged map[string]*checker.Result) {
	if d.Status == "" {
		d.Status = results.Complete
	}
	f.Run.Drivers = append(f.Run.Drivers, d)
	f.Run.Plan = []results.PlannedPhase{{Name: "healthy", Latency: true}}
	for _, role := range []string{"holder", "minority", "majority"} {
		f.Run.Plan = append(f.Run.Plan, results.PlannedPhase{Name: role + "-cut", Faults: []results.PlannedFault{{Name: "partition", Target: role}}})
	}
	onOff := map[bool]string{true: "on", false: "off"}
	for _, fencing := range []bool{false, true} {
		for _, heed := range []bool{true, false} {
			key := onOff[fencing] + "." + onOff[heed]
			t := results.Test{Name: results.TestName(d.Name, fencing, heed), Driver: d.Name, Fenced: fencing, Heeding: heed, Status: d.Status, Reason: d.Reason}
			t.Phases = []results.Phase{
				{Name: "healthy", Status: results.Complete}, {Name: "holder-cut", Status: results.Complete},
				{Name: "minority-cut", Status: results.Complete},
				{Name: "majority-cut", Status: results.Complete},
			}
			if d.Nodes < 3 {
				t.Phases[2].Status, t.Phases[2].Reason = results.NotApplicable, "1 server has no minority"
			}
			if result, ok := judged[key]; ok {
				v := results.TestVerdict{Test: t.Name, Result: *result}
				if result.Counts.StaleWrite > 0 && len(result.Incidents) > 0 {
					late := checker.Violation{Kind: checker.StaleWrite, At: 4880 * Milli, By: checker.Grant{GrantID: result.Incidents[0].Grants[0]}}
					v.Explanations = []explain.Explanation{{Number: 1, Text: "c2 was granted `lock-1` while c1 still held it; <i>c1's</i> write came late.", Violations: []checker.Violation{late}}}
				} else if len(result.Incidents) > 0 && len(result.Incidents[0].Grants) > 0 {
					v.Explanations = []explain.Explanation{{Number: 1, Text: "lock-1 was granted to process 2 (grant 3) while process 1 (grant 334) still held it"}}
				}
				f.Verdicts.Tests = append(f.Verdicts.Tests, v)
				f.Ops[t.Name] = ops
			} else if judged != nil {
				t.Status, t.Reason = results.NotApplicable, "this lock has no fencing token"
			}
			f.Run.Tests = append(f.Run.Tests, t)
		}
	}
}
