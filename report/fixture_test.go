package report

import (
	"strconv"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/explain"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

const (
	micro = int64(time.Microsecond)
	milli = int64(time.Millisecond)
	sec   = int64(time.Second)
)

// script writes a history; each process makes one acquire after another.
type script struct {
	ops    []history.Op
	grants map[int64]int64
}

func (s *script) nemesis(at int64, typ history.Type, f, value string) {
	s.ops = append(s.ops, history.Op{Time: at, Client: "nemesis", Process: history.NemesisProcess, Type: typ, F: f, Value: value})
}

func (s *script) phase(begin, end int64, name string, inside func()) {
	s.nemesis(begin, history.Invoke, history.Phase, name)
	inside()
	s.nemesis(end, history.OK, history.Phase, name)
}

// fault is in force from just after the one time to the other.
func (s *script) fault(from, to int64, value string, during, after func()) {
	s.nemesis(from-micro, history.Invoke, "partition", value)
	s.nemesis(from, history.OK, "partition", value)
	during()
	s.nemesis(to, history.Invoke, history.Heal, value)
	s.nemesis(to+micro, history.OK, history.Heal, value)
	after()
}

// acquire is asked for at one time and ends so at another; an empty outcome never ends.
func (s *script) acquire(process, at, end int64, outcome history.Type) {
	if s.grants == nil {
		s.grants = map[int64]int64{}
	}
	s.grants[process]++
	op := history.Op{Time: at, Client: "c" + strconv.FormatInt(process%10, 10), Process: process, Type: history.Invoke, F: history.Acquire, Lock: "lock-1", Grant: s.grants[process]}
	s.ops = append(s.ops, op)
	if outcome != "" {
		op.Time, op.Type = end, outcome
		s.ops = append(s.ops, op)
	}
}

// release gives a process's newest grant back.
func (s *script) release(process, at int64) {
	s.ops = append(s.ops, history.Op{
		Time: at, Client: "c" + strconv.FormatInt(process%10, 10), Process: process, Type: history.Invoke, F: history.Release, Lock: "lock-1", Grant: s.grants[process],
	}, history.Op{
		Time: at + 1, Client: "c" + strconv.FormatInt(process%10, 10), Process: process, Type: history.OK, F: history.Release, Lock: "lock-1", Grant: s.grants[process],
	})
}

// partition is the history of a whole test: a thousand acquires of base to base×1000/2 while healthy, a holder cut in
// which one rival is granted after gap, and a majority cut in which nobody is.
func partition(base, gap int64, minority bool) []history.Op {
	var s script
	s.phase(0, 2*sec, "healthy", func() {
		for i := range int64(1000) {
			process, at := 1+i%3*10, i*2*milli // c1 has three workers
			s.acquire(process, at, at+base+i*base/1000, history.OK)
			if i < 999 {
				s.release(process, at+base+i*base/1000+10*micro)
			}
		}
	})
	s.phase(2*sec, 6*sec, "holder-cut", func() {
		s.fault(2*sec+100*milli, 5*sec, "c1 from n1, both ways", func() {
			for at := 2*sec + 200*milli; at < 2*sec+gap; at += sec {
				s.acquire(2, at, min(at+sec, 2*sec+gap), history.Fail)
			}
			s.acquire(2, 2*sec+gap, 2*sec+gap+5*milli, history.OK)
			s.release(1, 4900*milli)
			s.release(2, 4950*milli)
		}, func() { s.acquire(2, 5*sec+10*milli, 5*sec+12*milli, history.OK); s.release(2, 5*sec+20*milli) })
	})
	if minority {
		s.phase(6*sec, 8*sec, "minority-cut", func() {
			s.fault(6*sec+100*milli, 7*sec, "n3", func() {
				s.acquire(2, 6*sec+200*milli, 6*sec+210*milli, history.OK)
				s.release(2, 6*sec+300*milli)
			}, func() { s.acquire(2, 7*sec+10*milli, 7*sec+12*milli, history.OK); s.release(2, 7*sec+20*milli) })
		})
	}
	s.phase(8*sec, 12*sec, "majority-cut", func() {
		s.fault(8*sec+100*milli, 11*sec, "n1, n2", func() {
			s.acquire(2, 8*sec+200*milli, 9*sec+200*milli, history.Info)
			s.acquire(3, 9*sec+200*milli, 12*sec+200*milli, history.Info)
		}, func() { s.acquire(4, 11*sec+500*milli, 11*sec+734*milli, history.OK) })
	})
	for i := range s.ops {
		s.ops[i].Index = int64(i)
	}
	return s.ops
}

// fixture is a run with every kind of row.
func fixture(t testing.TB) *Model {
	t.Helper()
	run, verdicts, ops := fixtureRun()
	measured := map[string]Measurement{}
	for i := range run.Tests {
		if ops[run.Tests[i].Name] == nil {
			continue // it has no history
		}
		m, err := Measure(&run, &run.Tests[i], ops[run.Tests[i].Name], verdictOn(verdicts, run.Tests[i].Name))
		if err != nil {
			t.Fatal(err)
		}
		measured[run.Tests[i].Name] = m
	}
	m := NewModel(run, verdicts, true, measured)
	m.Dir = "results/20260304T050607Z-partition"
	return m
}

func fixtureRun() (results.Run, results.Verdicts, map[string][]history.Op) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	f := fixtureBuilder{ops: map[string][]history.Op{}, run: results.Run{
		Format: results.Format, Scenario: "partition", Summary: "Cuts the lock's holder, a minority and a majority of the servers off.",
		Seed: 7, Argv: []string{"lockbench", "run", "--scenario", "partition"}, Started: at, Finished: at.Add(141300 * time.Millisecond),
		Status: results.Complete, Version: "v0.1.0", Commit: "0123abc",
		Host:      results.Host{OS: "linux", Arch: "amd64", Kernel: "6.1.0", CPU: "Model & Make", Cores: 2, Memory: 8 << 30, Go: "go1.26"},
		ProxyCost: results.ProxyCost{DirectP50: 19 * time.Microsecond, ProxyP50: 46 * time.Microsecond, DirectP99: 80 * time.Microsecond, ProxyP99: 171 * time.Microsecond},
		Settings:  map[string]string{"ttl": "2s", "clients": "3", "workers": "2", "hold": "2ms..10ms", "acquire-timeout": "1s"},
	}}
	valid := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Valid}, Data: checker.Judgement{Verdict: checker.Valid}, Liveness: checker.Judgement{Verdict: checker.Valid}}
	valid.Counts = checker.Counts{Attempts: 1004, Grants: 1002, Writes: 1000, Ambiguous: 2}
	broken := valid
	broken.Exclusion = checker.Judgement{Verdict: checker.Invalid, Reason: "1 overlap"}
	broken.Data = checker.Judgement{Verdict: checker.Invalid, Reason: "1 stale write"}
	broken.Counts.Overlap, broken.Counts.StaleWrite, broken.Counts.StaleDelayed = 1, 1, 1
	broken.Incidents = []checker.Incident{{
		Lock: "lock-1", Kinds: []string{"overlap", "stale_write"}, Grants: []checker.GrantID{{Process: 1, Grant: 334}, {Process: 2, Grant: 3}},
		Begin: 4*sec + 105*milli, End: 4*sec + 900*milli,
		Explanation: "lock-1 was granted to process 2 (grant 3) while process 1 (grant 334) still held it",
	}}
	saved := valid
	saved.Exclusion = broken.Exclusion
	saved.Counts.Overlap, saved.Counts.FencedOff = 1, 3
	saved.Incidents = []checker.Incident{broken.Incidents[0]}
	saved.Incidents[0].Kinds = []string{"overlap"}
	unknown := valid
	unknown.Exclusion = checker.Judgement{Verdict: checker.Unknown, Reason: "only 2 attempts during majority-cut, 3 are needed"}
	unknown.Liveness = checker.Judgement{Verdict: checker.Invalid, Reason: "lock-1 was not granted within 6 s of the heal"}
	unknown.Counts.StuckLock = 1

	f.driver(results.Driver{Name: "redis-setnx", Title: "Redis SETNX", Backend: "redis", Nodes: 1, RoundTrips: 1, RoundTripsMeasured: trips(1), Version: "7.0.15", Summary: "SET NX PX with a random owner value", Lease: true},
		partition(300*micro, 2100*milli, false), map[string]*checker.Result{"off.on": &valid, "off.off": &broken})
	f.driver(results.Driver{Name: "redis-redlock", Title: "Redis Redlock", Backend: "redis", Nodes: 5, RoundTrips: 1, RoundTripsMeasured: &results.RoundTrips{Reason: "the machine is too busy"}, Version: "7.0.15", Lease: true},
		partition(900*micro, 1900*milli, true), map[string]*checker.Result{"off.on": &unknown, "off.off": &valid})
	f.driver(results.Driver{Name: "etcd", Title: "etcd", Backend: "etcd", Nodes: 3, RoundTrips: 2, RoundTripsMeasured: trips(1), Version: "3.7.3", Token: "revision", Lease: true, Renewed: true},
		partition(2200*micro, 2400*milli, true), map[string]*checker.Result{"off.on": &valid, "off.off": &broken, "on.on": &valid, "on.off": &saved})
	f.driver(results.Driver{Name: "zookeeper", Title: "ZooKeeper", Backend: "zookeeper", Nodes: 3, RoundTrips: 3, Token: "czxid",
		Status: results.NotRun, Reason: "ZooKeeper is not installed: apt-get install zookeeper default-jre-headless"}, nil, nil)
	f.driver(results.Driver{Name: "postgres-row", Title: "PostgreSQL row lock", Backend: "postgres", Nodes: 1, RoundTrips: 4, Version: "15.10", Token: "counter",
		Status: results.Failed, Reason: "postgres n1 ended: <script>alert(1)</script>\x1b[31m \"quoted\", and more"}, nil, nil)

	for i := range f.run.Tests {
		t := &f.run.Tests[i]
		if t.Driver == "redis-setnx" && !t.HeedLost {
			t.Expect = &results.Expect{Exclusion: "invalid", Data: "invalid"}
		}
		if t.Driver == "redis-redlock" && !t.HeedLost {
			t.Expect = &results.Expect{Exclusion: "invalid"}
		}
	}
	return f.run, f.verdicts, f.ops
}

func trips(n int) *results.RoundTrips {
	return &results.RoundTrips{N: n, Acquires: 9, Delay: 20 * time.Millisecond, Longer: time.Duration(n) * 20 * time.Millisecond}
}

type fixtureBuilder struct {
	run      results.Run
	verdicts results.Verdicts
	ops      map[string][]history.Op
}

// driver adds a driver with its four tests; by "fencing.heed" those with a result ran.
func (f *fixtureBuilder) driver(d results.Driver, ops []history.Op, judged map[string]*checker.Result) {
	if d.Status == "" {
		d.Status = results.Complete
	}
	f.run.Drivers = append(f.run.Drivers, d)
	onOff := map[bool]string{true: "on", false: "off"}
	for _, fencing := range []bool{false, true} {
		for _, heed := range []bool{true, false} {
			key := onOff[fencing] + "." + onOff[heed]
			t := results.Test{Name: d.Name + ".fencing-" + onOff[fencing] + ".heed-" + onOff[heed], Driver: d.Name, Fencing: fencing, HeedLost: heed, Status: d.Status, Reason: d.Reason}
			t.Phases = []results.Phase{
				{Name: "healthy", Status: results.Complete, Latency: true}, {Name: "holder-cut", Status: results.Complete, Fault: "partition holder"},
				{Name: "minority-cut", Status: results.Complete, Fault: "partition minority"},
				{Name: "majority-cut", Status: results.Complete, Fault: "partition majority"},
			}
			if d.Nodes < 3 {
				t.Phases[2].Status, t.Phases[2].Reason = results.NotApplicable, "1 server has no minority"
			}
			if result, ok := judged[key]; ok {
				v := results.TestVerdict{Test: t.Name, Result: *result}
				if result.Counts.StaleWrite > 0 && len(result.Incidents) > 0 {
					late := explain.Violation{Kind: "stale_write", At: 4880 * milli, By: result.Incidents[0].Grants[0], Against: result.Incidents[0].Grants[1]}
					v.Explanations = []explain.Explanation{{Number: 1, Text: "c2 was granted `lock-1` while c1 still held it; <i>c1's</i> write came late.", Violations: []explain.Violation{late}}}
				}
				f.verdicts.Tests = append(f.verdicts.Tests, v)
				f.ops[t.Name] = ops
			} else if judged != nil {
				t.Status, t.Reason = results.NotApplicable, "this lock has no fencing token"
			}
			f.run.Tests = append(f.run.Tests, t)
		}
	}
}
