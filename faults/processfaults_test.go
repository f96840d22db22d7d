package faults

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/faults/processes"
	"github.com/lockbench/lockbench/faults/processes/processtest"
	"github.com/lockbench/lockbench/internal/topology"
)

// fakeCluster has processes in memory, two clients and no links.
type fakeCluster struct {
	all       map[string]*processtest.Fake
	processes *processes.Processes
	leads     bool
	service   any
	clocks    error
}

func newFakeCluster(nodes int) *fakeCluster {
	all, p := processtest.Set(nodes)
	return &fakeCluster{all: all, processes: p, leads: true}
}

func (c *fakeCluster) Topology() topology.Topology {
	kind := topology.Equal
	if c.leads {
		kind = topology.Voter
	}
	return topology.Of(kind, len(c.all))
}
func (c *fakeCluster) Driver() string                         { return "fake" }
func (c *fakeCluster) Clients() []string                      { return []string{"c1", "c2"} }
func (c *fakeCluster) Links() *links.Links                    { return nil }
func (c *fakeCluster) Processes() *processes.Processes        { return c.processes }
func (c *fakeCluster) Service() any                           { return c.service }
func (c *fakeCluster) Leader(context.Context) (string, error) { return "n1", nil }
func (c *fakeCluster) Holder() (string, error)                { return "c1", nil }
func (c *fakeCluster) Clocks() error                          { return c.clocks }

// at is an injection into the role, resolved to hosts.
func at(role Role, hosts ...string) Injection {
	return Injection{Target: Target{Role: role}, Hosts: hosts, Settings: Settings{}, Rand: rand.New(rand.NewPCG(1, 2))}
}

func TestProcessFaultsRefuse(t *testing.T) {
	volatile := newFakeCluster(1)
	volatile.all["n1"].NotDurable = errors.New("n1 forgets")
	for _, test := range []struct {
		name      string
		fault     Fault
		cluster   *fakeCluster
		in        Injection
		want      string // "": available
		noMeaning bool
	}{
		{"pause", Pause{}, newFakeCluster(3), at(Leader), "", false},
		{"pause at a point", Pause{}, newFakeCluster(3), Injection{Target: Target{Role: Holder}, Settings: Settings{"point": BeforeWrite}}, "", false},
		{"pause a server at a point", Pause{}, newFakeCluster(3), Injection{Target: Target{Role: Leader}, Settings: Settings{"point": AfterGrant}}, "only a client", false},
		{"pause a minority of one", Pause{}, newFakeCluster(1), at(Minority), "minority", true},
		{"crash", Crash{}, newFakeCluster(3), at(Leader), "", false},
		{"crash what forgets", Crash{}, volatile, at(Random), "n1 forgets: use amnesia, or durable: true", false},
		{"crash a client of what forgets", Crash{}, volatile, at(Holder), "", false},
		{"restart what forgets", RollingRestart{}, volatile, at(AllServers), "n1 forgets", false},
		{"amnesia", Amnesia{}, newFakeCluster(3), at(Leader), "", false},
		{"amnesia of a majority", Amnesia{}, newFakeCluster(3), at(Majority), "no majority would be left", true},
		{"amnesia of the only one that leads", Amnesia{}, newFakeCluster(1), at("n1"), "no majority would be left", true},
		{"terminate", Terminate{}, newFakeCluster(1), at(AllServers), "cannot be told", true},
	} {
		err := test.fault.Available(test.cluster, test.in)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
		if errors.Is(err, ErrNoMeaning) != test.noMeaning {
			t.Errorf("%s: %v: has no meaning: %v", test.name, err, !test.noMeaning)
		}
	}
	equals := newFakeCluster(5)
	equals.leads = false
	if err := (Amnesia{}).Available(equals, at(AllServers)); err != nil {
		t.Errorf("amnesia of equals: %v", err)
	}
	if _, err := (Amnesia{}).Inject(t.Context(), newFakeCluster(3), at(Waiters, "n1", "n2")); !errors.Is(err, ErrNoMeaning) {
		t.Errorf("amnesia of two in three: %v", err)
	}
	none := newFakeCluster(1)
	none.processes = nil
	if err := (Crash{}).Available(none, at(AllServers)); err == nil {
		t.Error("a crash without processes")
	}
}

func TestAmnesiaWipes(t *testing.T) {
	c := newFakeCluster(3)
	heal := processtest.Must(t)(Amnesia{}.Inject(t.Context(), c, at(Random, "n2")))
	heal()
	if got := c.all["n2"].Calls(); got != "kill wipe start" {
		t.Errorf("calls %q", got)
	}
}

// terminators terminates so many.
type terminators int

func (n terminators) TerminateHolders(context.Context) (int, error) { return int(n), nil }

func TestTerminateNeedsAHolder(t *testing.T) {
	c := newFakeCluster(1)
	c.service = terminators(1)
	processtest.Must(t)(Terminate{}.Inject(t.Context(), c, at(AllServers, "n1")))()
	c.service = terminators(0)
	if _, err := (Terminate{}).Inject(t.Context(), c, at(AllServers, "n1")); err == nil {
		t.Error("nobody held, and nothing was said")
	}
}

// restarts counts the servers that were started again.
func (c *fakeCluster) restarts() (n int) {
	for _, f := range c.all {
		if f.Called("start") {
			n++
		}
	}
	return n
}

func TestRollingRestart(t *testing.T) {
	c := newFakeCluster(5)
	in := at(AllServers, c.Topology().Names()...)
	heal := processtest.Must(t)(RollingRestart{}.Inject(t.Context(), c, in))
	heal()
	heal()
	for name, f := range c.all {
		if got := f.Calls(); got != "kill start" {
			t.Errorf("%s: calls %q", name, got)
		}
	}
	// The order is the seed's: the same injection stops at the same server.
	first := func(seed uint64) string {
		c := newFakeCluster(5)
		for _, f := range c.all {
			f.FailOnce("kill")
		}
		in.Rand = rand.New(rand.NewPCG(seed, 0))
		heal, err := RollingRestart{}.Inject(t.Context(), c, in)
		if err != nil {
			t.Fatal(err)
		}
		err = heal(t.Context())
		if !errors.Is(err, processtest.ErrPlanned) {
			t.Fatalf("heal: %v, want what went wrong in the round", err)
		}
		return err.Error()
	}
	orders := map[string]bool{}
	for seed := range uint64(20) {
		order := first(seed)
		if again := first(seed); again != order {
			t.Errorf("seed %d has two orders: %s, %s", seed, order, again)
		}
		orders[order] = true
	}
	if len(orders) < 3 {
		t.Errorf("20 seeds have %d orders", len(orders))
	}
}

func TestRollingRestartCancelled(t *testing.T) {
	c := newFakeCluster(3)
	in := at(AllServers, c.Topology().Names()...)
	in.Settings["gap"] = time.Hour
	heal, err := RollingRestart{}.Inject(t.Context(), c, in)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); c.restarts() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the round never began")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := heal(ctx); err != nil {
		t.Error(err)
	}
	if n := c.restarts(); n != 1 {
		t.Errorf("%d servers were restarted, want the first", n)
	}
	// A server that did not start is started by heal, which tells of it all the same; also when its context is over.
	c = newFakeCluster(1)
	c.all["n1"].FailOnce("start")
	if heal, err = (RollingRestart{}).Inject(t.Context(), c, at(AllServers, "n1")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); c.restarts() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server was never started")
		}
	}
	if err := heal(ctx); !errors.Is(err, processtest.ErrPlanned) {
		t.Errorf("heal: %v, want what went wrong", err)
	}
	if got := c.all["n1"].State(); got != processtest.Running {
		t.Errorf("n1 is %s", got)
	}
}
