package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/judge"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run/nemesis"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
	"github.com/lockbench/lockbench/scenarios"
)

// shipped is a shipped scenario with a TTL of a second and one test.
func shipped(t *testing.T, name string, phases ...string) scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	s = only(s, phases...)
	s.Workload.TTL, s.Workload.AcquireTimeout = scenarios.Duration(time.Second), scenarios.Duration(500*time.Millisecond)
	s.Workload.Fencing, s.Workload.Lost = scenarios.Unfenced, scenarios.Heeding
	return s
}

func readHistory(t *testing.T, dir, test string) []history.Op {
	t.Helper()
	f, err := os.Open(results.Dir(dir).History(test))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ops, err := history.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return ops
}

// A client that is killed holds no longer, and comes back with process numbers that nobody had before.
func TestKilledClientComesBack(t *testing.T) {
	t.Parallel()
	s := patient(shipped(t, "client-crash", "holder-killed", "healed"))
	s.Phases[1].For = scenarios.Span{Fixed: 500 * time.Millisecond}
	run, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("redis-setnx")}})
	const test = "redis-setnx.unfenced.heeding"
	if r := judged[test]; r.Exclusion.Verdict != checker.Valid || r.Data.Verdict != checker.Valid {
		t.Errorf("exclusion %+v, data %+v", r.Exclusion, r.Data)
	}
	victim, killed, back := "", false, 0
	before := map[int64]bool{}
	for _, o := range readHistory(t, run.dir, test) {
		switch {
		case o.F == history.Kill && o.Type == history.OK:
			victim, killed = o.Client, true
		case o.IsNemesis():
		case !killed:
			before[o.Process] = true
		case o.Client == victim && o.F == history.Acquire && o.Type == history.OK:
			back++
			if before[o.Process] {
				t.Errorf("process %d of the dead client goes on", o.Process)
			}
		}
	}
	if back == 0 {
		t.Errorf("%q was killed: %v; afterwards it was granted nothing", victim, killed)
	}
}

// A client that stops itself between its check and its write writes when it goes on, whatever happened meanwhile,
// although it heeds the loss of a lock.
func TestPausedBeforeItsWrite(t *testing.T) {
	t.Parallel()
	s := shipped(t, "client-pause", "paused-before-write", "healed")
	run, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("redis-setnx")}})
	const test = "redis-setnx.unfenced.heeding"
	if c := judged[test].Counts; c.Overlap == 0 || c.StaleWrite == 0 {
		t.Errorf("no overlap or no stale write: %+v", c)
	}
	stopped, still := "", false
	for _, o := range readHistory(t, run.dir, test) {
		switch {
		case o.F == "pause" && o.Type == history.OK:
			stopped, still = o.Fault.Hosts[0], true
		case o.F == history.Heal && o.Type == history.Invoke:
			still = false
		case still && o.Client == stopped:
			t.Errorf("%s stands still, and did this: %+v", stopped, o)
		}
	}
	if stopped == "" {
		t.Error("nobody was stopped")
	}
}

// A replay injects the steps of its schedule and nothing else: one that was added, in a phase without a fault as
// well; none that was dropped; nothing anew where a phase has no step. Whatever a step kills says so.
func TestReplayInjectsItsStepsOnly(t *testing.T) {
	t.Parallel()
	s := patient(shipped(t, "client-crash", "holder-killed", "healed"))
	short := scenarios.Span{Fixed: 200 * time.Millisecond}
	s.Phases[0].For, s.Phases[1].For = short, short
	dropped := s.Phases[0]
	dropped.Name = "dropped"
	never := dropped // a single server has no minority, in a replay either
	never.Name, never.Faults = "never", []scenarios.Fault{{Name: "partition", Target: "minority"}}
	s.Phases = append(s.Phases, dropped, never)
	const test = "redis-setnx.unfenced.heeding"
	run, _ := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("redis-setnx")}, Replay: []nemesis.TestSchedule{{Test: test, Steps: []nemesis.Step{
		{Phase: "holder-killed", Fault: scenarios.Fault{Name: "pause", Target: "c1"}, Hosts: []string{"c1"}},
		{Phase: "holder-killed", Fault: scenarios.Fault{Name: "crash", Target: "holder"}, Hosts: []string{"c2"}, Holder: "c2"},
		{Phase: "healed", Fault: scenarios.Fault{Name: "partition", Target: "c3"}, Hosts: []string{"c3"}},
	}}}})
	var got []string
	for _, op := range readHistory(t, run.dir, test) {
		if op.IsNemesis() && op.Type == history.OK && op.F != history.Phase && op.F != history.Heal && !history.Outside(op.F) {
			got = append(got, fmt.Sprintf("%d %s %s", op.Fault.Step, op.F, op.Client))
		}
	}
	if want := []string{"1 pause nemesis", "2 kill c2", "2 crash nemesis", "3 partition nemesis"}; !slices.Equal(got, want) {
		t.Errorf("injected %q, want %q", got, want)
	}
	saved, err := results.Load(string(run.dir))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(saved.Run.Tests, func(t results.Test) bool { return t.Name == test })
	if p := saved.Run.Tests[i].Phase("never"); p == nil || p.Status != results.NotApplicable {
		t.Errorf("the phase that has no meaning here: %+v", p)
	}
	if cut := saved.Run.FaultsWith("cuts-off"); !cut["partition"] || len(saved.Run.Planned("healed").Faults) != 1 {
		t.Errorf("the plan lacks the step that was added: %+v", saved.Run.Planned("healed"))
	}
}

// ailing is Redis whose servers cannot be stopped, or do not come back.
type ailing struct {
	servers.Backend
	suspend, start error
}

type ailingCluster struct {
	servers.Cluster
	ailing ailing
}

type ailingServer struct {
	servers.Server
	ailing ailing
}

func (a ailing) Start(ctx context.Context, spec servers.Spec) (servers.Cluster, error) {
	c, err := a.Backend.Start(ctx, spec)
	return ailingCluster{c, a}, err
}

func (c ailingCluster) Nodes() []servers.Node {
	nodes := append([]servers.Node(nil), c.Cluster.Nodes()...)
	for i := range nodes {
		nodes[i].Process = ailingServer{nodes[i].Process, c.ailing}
	}
	return nodes
}

func (s ailingServer) Durable() error { return nil }

func (s ailingServer) Suspend() error {
	if s.ailing.suspend != nil {
		return s.ailing.suspend
	}
	return s.Server.Suspend()
}

func (s ailingServer) Start(ctx context.Context) error {
	if s.ailing.start != nil {
		return s.ailing.start
	}
	return s.Server.Start(ctx)
}

// runAiling runs two tests of one phase on such a Redis, and judges what is left.
func runAiling(t *testing.T, a ailing, fault scenarios.Fault) (saved results.Saved, err error) {
	t.Helper()
	a.Backend = servers.Redis{}
	if _, err := a.Detect(t.Context(), local.Programs{}); err != nil {
		testenv.NeedServer(t, err)
	}
	s := shipped(t, "server-pause", "random-paused", "healed")
	s.Workload.Lost = scenarios.Both
	s.Phases[0].For, s.Phases[0].Faults = scenarios.Span{Fixed: 100 * time.Millisecond}, []scenarios.Fault{fault}
	dir, err := Run(t.Context(), Config{
		Scenario: s, Drivers: []drivers.Driver{find("redis-setnx")}, Backends: []servers.Backend{a}, Out: t.TempDir(), Seed: 1,
		Fence: resource.RejectLower, Progress: show(t),
	})
	if judgeErr := judge.Run(dir); judgeErr != nil {
		t.Fatal(judgeErr)
	}
	saved, loadErr := results.Load(dir)
	if loadErr != nil {
		t.Fatal(loadErr)
	}
	return saved, err
}

// A fault that cannot be injected leaves the verdict unknown, with the reason, and the rest of the run goes on.
func TestFaultThatDoesNotStrike(t *testing.T) {
	t.Parallel()
	saved, err := runAiling(t, ailing{suspend: errors.New("it will not stop")}, scenarios.Fault{Name: "pause", Target: "random"})
	if err != nil {
		t.Fatal(err)
	}
	if len(saved.Verdicts.Tests) != 2 {
		t.Errorf("%d tests were judged, want 2", len(saved.Verdicts.Tests))
	}
	for _, v := range saved.Verdicts.Tests {
		if e := v.Result.Exclusion; e.Verdict != checker.Unknown || !strings.Contains(e.Reason, "it will not stop") {
			t.Errorf("%s: %+v, want unknown and why", v.Test, e)
		}
	}
}

// A fault that cannot be healed is an error, and nothing runs on those servers any more.
func TestFaultThatDoesNotHeal(t *testing.T) {
	t.Parallel()
	saved, err := runAiling(t, ailing{start: errors.New("it will not start")}, scenarios.Fault{Name: "crash", Target: "random"})
	if !errors.Is(err, nemesis.ErrHeal) || !strings.Contains(err.Error(), "it will not start") {
		t.Errorf("the run ended with %v", err)
	}
	for _, test := range saved.Run.Tests {
		if !test.Fenced && (test.Status != results.Failed || !strings.Contains(test.Reason, "could not be healed")) {
			t.Errorf("%s is %s: %s", test.Name, test.Status, test.Reason)
		}
	}
}
