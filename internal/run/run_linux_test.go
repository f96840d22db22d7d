package run

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/judge"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run/roles"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
	"github.com/lockbench/lockbench/scenarios"
)

// TestMain lets the test program be what lockbench starts again from its own binary.
func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, roles.Of(context.Background(), os.Stdin, os.Stdout, append(all.Drivers(), grantsTwice(), writesLate()))))
}

// grantsTwice is redis-setnx sabotaged: every acquire takes a key of its own, so that all of them are granted. It
// makes up a token, which counts per process and so repeats.
func grantsTwice() drivers.Driver {
	d := find("redis-setnx")
	d.Info.Name, d.Info.Token = "grants-twice", "made up"
	open := d.Open
	var n atomic.Uint64
	d.Open = func(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
		l, err := open(ctx, addrs, opt)
		return saboteur{l, &n}, err
	}
	return d
}

type saboteur struct {
	drivers.Locker
	n *atomic.Uint64
}

type sabotaged struct {
	drivers.Lease
	token uint64
}

func (s saboteur) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	n := s.n.Add(1)
	l, err := s.Locker.Acquire(ctx, fmt.Sprintf("%s-%d-%d", name, os.Getpid(), n))
	if err != nil {
		return nil, err
	}
	return sabotaged{l, n}, nil
}

func (s sabotaged) Token() (uint64, bool) { return s.token, true }

func find(name string) drivers.Driver {
	for _, d := range all.Drivers() {
		if d.Info.Name == name {
			return d
		}
	}
	return drivers.Driver{Info: drivers.Info{Name: name, Backend: "none"}}
}

// quick is the partition scenario with short phases.
func quick(t *testing.T, ttl time.Duration) scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Load("partition")
	if err != nil {
		t.Fatal(err)
	}
	s.Workload.TTL, s.Workload.AcquireTimeout = scenarios.Duration(ttl), scenarios.Duration(ttl/2)
	for i := range s.Phases {
		if len(s.Phases[i].Faults) == 0 {
			s.Phases[i].For = scenarios.Span{Fixed: 200 * time.Millisecond}
		}
	}
	return s
}

// patient is the scenario with bounds in which also a slow machine comes to the grants that prove something.
func patient(s scenarios.Scenario) scenarios.Scenario {
	s.Require.Allowance = scenarios.Duration(40 * time.Second)
	return s
}

// only leaves the phases of these names.
func only(s scenarios.Scenario, names ...string) scenarios.Scenario {
	var kept []scenarios.Phase
	for _, p := range s.Phases {
		for _, n := range names {
			if p.Name == n {
				kept = append(kept, p)
			}
		}
	}
	s.Phases = kept
	return s
}

// show logs what a run tells while it goes on.
func show(t *testing.T) func(progress.Event) {
	return func(e progress.Event) {
		if line := progress.Line(e); line != "" {
			t.Log(line)
		}
	}
}

type judgedRun struct {
	results.Run
	dir string
}

// verdicts runs the scenario through the real line and judges it.
func verdicts(t *testing.T, cfg Config) (judgedRun, map[string]checker.Result) {
	t.Helper()
	for _, d := range cfg.Drivers {
		for _, b := range servers.Backends() {
			if b.Name() == d.Info.Backend {
				_, err := b.Detect(t.Context(), local.Programs{})
				testenv.NeedServer(t, err)
			}
		}
	}
	cfg.Backends, cfg.Out, cfg.Seed = servers.Backends(), t.TempDir(), max(cfg.Seed, 1)
	told := cfg.Progress
	cfg.Progress = func(e progress.Event) {
		show(t)(e)
		if told != nil {
			told(e)
		}
	}
	if cfg.Fence == nil {
		cfg.Fence = resource.RejectLower
	}
	dir, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := judge.Run(dir); err != nil {
		t.Fatal(err)
	}
	saved, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	judged := map[string]checker.Result{}
	for _, v := range saved.Verdicts.Tests {
		judged[v.Test] = v.Result
	}
	return judgedRun{saved.Run, dir}, judged
}

// TestNothingIsAnsweredAcrossTheCut reads from the history that the client that was cut off got no answer from its
// servers meanwhile, and that its link to the resource stayed open.
func TestNothingIsAnsweredAcrossTheCut(t *testing.T) {
	t.Parallel()
	s := only(quick(t, time.Second), "holder-cut", "healed")
	s.Workload.Lost = scenarios.Ignoring
	run, _ := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("redis-setnx")}})
	f, err := os.Open(results.Dir(run.dir).History("redis-setnx.unfenced.ignoring"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ops, err := history.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	holder, cut, written, after := "", false, 0, 0
	for _, o := range ops {
		switch {
		case o.F == "partition" && o.Type == history.OK:
			holder, cut = o.Fault.Hosts[0], true
		case o.F == history.Heal && o.Type == history.Invoke:
			cut = false
		case o.Client != holder || o.Type != history.OK:
		case o.F == history.Acquire || o.F == history.Release:
			if cut {
				t.Errorf("%s of %s was answered across the cut", o.F, o.Client)
			}
			after++
		case o.F == history.Write && cut:
			written++
		}
	}
	if holder == "" || after == 0 || written == 0 {
		t.Fatalf("holder %q, %d answers after the heal, %d writes across the open link: the test shows nothing", holder, after, written)
	}
}

func TestSETNXLosesUnderPartition(t *testing.T) {
	t.Parallel()
	s := only(quick(t, time.Second), "holder-cut", "healed")
	s.Workload.Lost = scenarios.Ignoring
	run, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("redis-setnx")}})
	r := judged["redis-setnx.unfenced.ignoring"]
	if r.Counts.Overlap == 0 || r.Exclusion.Verdict != checker.Invalid {
		t.Errorf("a holder past its TTL that works on was not convicted: %+v", r)
	}
	if r.Counts.StaleWrite == 0 || r.Data.Verdict != checker.Invalid {
		t.Errorf("its stale write was not found: %+v", r.Counts)
	}
	for _, test := range run.Tests {
		if test.Fenced && test.Status != results.NotApplicable {
			t.Errorf("%s: a lock without a token was fenced: %s", test.Name, test.Status)
		}
	}
}

func TestSabotagedDriverIsConvicted(t *testing.T) {
	t.Parallel()
	s := only(quick(t, time.Second), "healthy", "healed")
	s.Phases[0].Alone, s.Phases[0].Workload, s.Phases[0].For = false, nil, scenarios.Span{Fixed: time.Second}
	s.Workload.Lost = scenarios.Heeding
	_, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{grantsTwice()}})
	for name, r := range judged {
		// Whether two acquires are under way at once, without which no grants are unordered and none interleaved, is
		// luck.
		if r.Counts.Overlap == 0 || r.Counts.TokenRegression == 0 {
			t.Errorf("%s: a lock that everybody gets at once was not convicted of all it did: %+v", name, r.Counts)
		}
		if r.Exclusion.Verdict != checker.Invalid {
			t.Errorf("%s: exclusion is %s", name, r.Exclusion.Verdict)
		}
	}
	if len(judged) != 2 {
		t.Errorf("%d tests judged, want 2", len(judged))
	}
}

func TestSabotagedFenceIsConvicted(t *testing.T) {
	t.Parallel()
	s := only(quick(t, 2*time.Second), "holder-cut", "healed")
	s.Workload.Fencing, s.Workload.Lost = scenarios.Fenced, scenarios.Ignoring
	_, judged := verdicts(t, Config{
		Scenario: s, Drivers: []drivers.Driver{find("etcd")},
		Fence: func(history.Uint, history.Uint) bool { return true },
	})
	r := judged["etcd.fenced.ignoring"]
	if r.Counts.StaleWrite == 0 || r.Data.Verdict != checker.Invalid {
		t.Errorf("a fence that takes anything was not convicted: %+v, data %+v", r.Counts, r.Data)
	}
}

// TestFencingSavesTheData is the demo's claim, through the real line: what has a fencing token loses no data when it
// is checked, although a second client was let in.
func TestFencingSavesTheData(t *testing.T) {
	t.Parallel()
	s := quick(t, 2*time.Second)
	s = patient(only(s, "holder-cut", "minority-cut", "majority-cut", "healed"))
	s.Workload.Fencing, s.Workload.Lost = scenarios.Fenced, scenarios.Ignoring
	_, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("etcd"), find("zookeeper")}})
	for _, driver := range []string{"etcd", "zookeeper"} {
		r, ok := judged[driver+".fenced.ignoring"]
		c := r.Counts
		if !ok || c.StaleWrite != 0 || c.LostUpdate != 0 || c.TokenRegression != 0 || c.BrokenFence != 0 {
			t.Errorf("%s: judged %v, %+v", driver, ok, c)
		}
		if r.Data.Verdict != checker.Valid {
			t.Errorf("%s: data %+v", driver, r.Data)
		}
		if c.FencedOff == 0 {
			t.Errorf("%s: nothing was fenced off, so the run shows nothing", driver)
		}
	}
}
