package servers_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/faults/processes"
	"github.com/lockbench/lockbench/internal/servers"
)

func TestRedisServers(t *testing.T) {
	b := newBed(t, servers.Redis{}, 1, true)
	b.put(inRedis, "n1", "v")
	b.pauses(inRedis, "n1")
	b.crashes("n1")
	b.wants(inRedis, "n1", "v")
	// What comes back while it is to be paused serves, and is paused then.
	resume := b.inject("pause", "n1")
	up := b.inject("crash", "n1")
	b.refuses("n1")
	up()
	if got := b.states("bed-n1"); got != "T" {
		t.Errorf("states of a server that was started while it is paused: %q", got)
	}
	resume()
	b.wants(inRedis, "n1", "v")
	heal := b.wipe("n1")
	b.refuses("n1")
	heal()
	b.wants(inRedis, "n1", "")
	if left := b.processes.Left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	b.endsSuspended("n1")
}

func TestRedisServersThatDoNotWrite(t *testing.T) {
	b := newBed(t, servers.Redis{}, 2, false)
	for _, n := range b.Nodes() {
		b.put(inRedis, n, "v")
	}
	err := faults.Crash{}.Available(b, faults.Injection{Target: faults.Target{Role: "n1"}})
	if err == nil || !strings.Contains(err.Error(), "use amnesia, or durable: true") {
		t.Errorf("crash: %v, want that Redis forgets", err)
	}
	if err := b.node("n1").Process.(processes.Wiper).Wipe(); err == nil {
		t.Error("a server that runs was wiped")
	}
	b.wants(inRedis, "n1", "v")
	pid := b.node("n1").Process.PID()
	heal := b.inject("amnesia", "n1") // it comes back at once
	if b.node("n1").Process.PID() == pid {
		t.Error("n1 is the same process")
	}
	b.wants(inRedis, "n1", "")
	b.wants(inRedis, "n2", "v")
	b.put(inRedis, "n1", "w")
	heal()
	b.wants(inRedis, "n1", "w") // the heal takes nothing away
}

func TestPostgresServer(t *testing.T) {
	b := newBed(t, servers.Postgres{}, 1, false)
	b.put(inPostgres, "n1", "v")
	conn, err := postgresConn(t.Context(), b.at("n1")) // a backend that stands still, too
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	b.pauses(inPostgres, "n1")
	if err := conn.Ping(t.Context()); err != nil {
		t.Errorf("the session did not survive the pause: %v", err)
	}
	b.crashes("n1")
	b.wants(inPostgres, "n1", "v")
	if err := (faults.Amnesia{}).Available(b, faults.Injection{Target: faults.Target{Role: "n1"}}); !errors.Is(err, faults.ErrNoMeaning) {
		t.Errorf("amnesia: %v, want %v", err, faults.ErrNoMeaning)
	}
	// A backend is suspended with its server, and ends with it.
	again, err := postgresConn(t.Context(), b.at("n1"))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close(context.Background())
	b.endsSuspended("n1")
}

func TestEtcdServers(t *testing.T) {
	b := newBed(t, servers.Etcd{}, 3, false)
	b.put(inEtcd, "n1", "v")
	b.pauses(inEtcd, b.follower())
	b.withoutQuorum(inEtcd)
	heal := b.inject("rolling-restart", b.Nodes()...)
	heal()
	for _, n := range b.Nodes() {
		b.wants(inEtcd, n, "v")
	}
	b.endsSuspended(leader(t.Context(), t, b.Cluster))
}

func TestZooKeeperServers(t *testing.T) {
	b := newBed(t, servers.ZooKeeper{}, 3, false)
	b.put(inZooKeeper, "n1", "v")
	b.pauses(inZooKeeper, b.follower())
	wiped := b.follower()
	if why := b.node(wiped).Process.(processes.OutsideModel).OutsideModel(); why == "" {
		t.Error("ZAB is said to survive amnesia")
	}
	heal := b.wipe(wiped)
	b.refuses(wiped)
	b.put(inZooKeeper, b.others(wiped)[0], "w") // by the majority
	heal()
	b.wants(inZooKeeper, wiped, "w")
	b.withoutQuorum(inZooKeeper)
	b.endsSuspended(leader(t.Context(), t, b.Cluster))
}

// wipe kills the node and removes its data; it stays down until the heal.
func (b *bed) wipe(node string) (heal func()) {
	b.t.Helper()
	heals, err := b.processes.Down(b.t.Context(), []string{node}, true)
	if err != nil {
		b.t.Fatal(err)
	}
	return func() {
		b.t.Helper()
		if err := heals(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
}

// others names the nodes but one.
func (b *bed) others(node string) []string {
	return slices.DeleteFunc(b.Nodes(), func(n string) bool { return n == node })
}

// withoutQuorum kills all nodes by two faults, and heals the first of them, of one node: that is started although it
// can serve nobody, and all serve with their data when the others come back.
func (b *bed) withoutQuorum(s store) {
	b.t.Helper()
	b.put(s, "n1", "v")
	one, two := b.inject("crash", "n1"), b.inject("crash", "n2", "n3")
	one()
	if got := b.states("bed-n1"); got == "" {
		b.t.Error("n1 does not run")
	}
	if _, err := try(b.t, func(ctx context.Context) (string, error) { return s.get(ctx, b.at("n1")) }); err == nil {
		b.t.Error("n1 alone serves")
	}
	two()
	for _, n := range b.Nodes() {
		b.wants(s, n, "v")
	}
}

func TestEtcdMemberWithoutItsData(t *testing.T) {
	b := newBed(t, servers.Etcd{}, 3, false)
	b.put(inEtcd, "n1", "v")
	wiped := leader(t.Context(), t, b.Cluster)
	rest := b.others(wiped)
	before := b.members(rest[0])
	heal := b.wipe(wiped)
	b.refuses(wiped)
	// A second one would take the majority with it; it runs again, and its data is untouched.
	if _, err := b.processes.Down(t.Context(), rest[:1], true); err == nil || !strings.Contains(err.Error(), "no majority") {
		t.Errorf("a majority was wiped: %v", err)
	}
	b.put(inEtcd, rest[1], "w")
	heal()
	for _, n := range b.Nodes() {
		b.wants(inEtcd, n, "w")
	}
	after := b.members(rest[0])
	if len(after) != 3 || after[wiped] == before[wiped] || after[rest[0]] != before[rest[0]] {
		t.Errorf("voting members %v before, %v after", before, after)
	}
	// It votes: with one of the others it is a majority. And from now on it keeps its data.
	b.crashes(wiped)
	down := b.inject("crash", rest[0])
	b.put(inEtcd, wiped, "x")
	b.wants(inEtcd, rest[1], "x")
	down()
	b.wants(inEtcd, rest[0], "x")
}

// members lists the members that vote, by name.
func (b *bed) members(by string) map[string]uint64 {
	b.t.Helper()
	c, err := etcdClient(b.at(by))
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	list, err := c.MemberList(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	ids := map[string]uint64{}
	for _, m := range list.Members {
		if !m.IsLearner {
			ids[m.Name] = m.ID
		}
	}
	return ids
}
