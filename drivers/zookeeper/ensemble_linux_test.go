package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/testenv"
)

const (
	ttl = 2 * time.Second
	// patience bounds what must happen at all.
	patience = 20 * time.Second
)

// servers are the addresses of the ensemble; missing is why there is none.
var (
	servers []string
	missing error
)

func TestMain(m *testing.M) {
	code, err := 0, error(nil)
	if len(os.Args) == 3 && os.Args[1] == agent.JanitorCommand {
		err = agent.RunJanitor(os.Stdin, os.Args[2])
	} else {
		code, err = run(m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, missing = (cluster.ZooKeeper{}).Detect(ctx); missing != nil {
		return m.Run(), nil
	}
	logs, err := os.MkdirTemp("", "zookeeper-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(logs)) }()
	host, err := agent.NewLocal()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, host.Close()) }()
	c, err := cluster.ZooKeeper{}.Start(ctx, cluster.Spec{Name: "zk", Nodes: 3, Agent: host, LogDir: logs, TTL: ttl})
	if err != nil {
		return 0, err
	}
	for _, n := range c.Nodes() {
		servers = append(servers, n.Addr)
	}
	code = m.Run()
	return code, c.Stop()
}

// link makes links from a client to all servers, and cuts them.
func link(t *testing.T) (addrs []string, cut func(nodes ...string) (heal func())) {
	t.Helper()
	testenv.NeedServer(t, missing)
	links := faults.NewLinks()
	t.Cleanup(func() {
		if err := links.Close(); err != nil {
			t.Error(err)
		}
	})
	for i, server := range servers {
		addr, err := links.Open("c1", cluster.NodeName(i), "127.0.0.1:0", server)
		if err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, addr)
	}
	return addrs, func(nodes ...string) func() {
		var flows []faults.Flow
		for _, n := range nodes {
			flows = append(flows, faults.Flow{From: "c1", To: n}, faults.Flow{From: n, To: "c1"})
		}
		heal, err := links.Cut(flows...)
		if err != nil {
			t.Fatal(err)
		}
		return heal
	}
}

// session opens a session that ends with the test, which fails if it leaves a goroutine.
func session(t *testing.T, addrs []string, seed uint64) *locker {
	t.Helper()
	testenv.NeedServer(t, missing)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l, err := open(ctx, addrs, drivers.Options{TTL: ttl, Rand: rand.New(rand.NewPCG(seed, 0))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSession(t, l) })
	return l
}

func closeSession(t *testing.T, l *locker) {
	t.Helper()
	began := time.Now()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second { // it would wait for the session's time-out, and more
		t.Errorf("Close took %v", took)
	}
}

// noGoroutine fails if the library or a session still runs anything.
func noGoroutine(t *testing.T) {
	t.Helper()
	var stacks string
	eventually(t, "no goroutine is left", func() bool {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		return !strings.Contains(stacks, "go-zookeeper") && !strings.Contains(stacks, "zookeeper.(*locker)") && !strings.Contains(stacks, "zookeeper.call[")
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

func acquire(t *testing.T, l *locker, name string) drivers.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	g, err := l.Acquire(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func release(g drivers.Lease) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return g.Release(ctx)
}

// refused fails unless the lock is held by somebody else.
func refused(t *testing.T, l *locker, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := l.Acquire(ctx, name); !errors.Is(err, drivers.ErrNotAcquired) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("acquire of a lock that is held: %v, want %v and the context's error", err, drivers.ErrNotAcquired)
	}
}

// queue lists the nodes of a lock, as a server sees them after all that came before.
func queue(t *testing.T, l *locker, name string) []string {
	t.Helper()
	if _, err := l.conn.Sync(root); err != nil {
		t.Fatal(err)
	}
	children, _, err := l.conn.Children(root + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return children
}

func token(t *testing.T, g drivers.Lease) uint64 {
	t.Helper()
	n, ok := g.Token()
	if !ok {
		t.Fatal("no token")
	}
	return n
}

func held(t *testing.T, g drivers.Lease) {
	t.Helper()
	if isClosed(g.Lost()) {
		t.Fatal("lost for no reason")
	}
}

func awaitLost(t *testing.T, g drivers.Lease) {
	t.Helper()
	select {
	case <-g.Lost():
	case <-time.After(patience):
		t.Fatal("the holder never learned that it may no longer assume that it holds")
	}
}
