package etcd

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

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

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, map[string]func([]string) error{cluster.EtcdCommand: cluster.RunEtcd}))
}

// bench is three members, and a client that sees what they store.
type bench struct {
	addrs []string
	admin *clientv3.Client
}

func TestLock(t *testing.T) {
	host, err := agent.NewLocal()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := cluster.Etcd{}.Start(ctx, cluster.Spec{Name: "etcd", Nodes: 3, Agent: host, LogDir: t.TempDir(), TTL: ttl})
	if err != nil {
		t.Fatal(err)
	}
	var b bench
	for _, n := range c.Nodes() {
		b.addrs = append(b.addrs, n.Addr)
	}
	if b.admin, err = clientv3.New(clientv3.Config{Endpoints: b.addrs, Logger: zap.NewNop()}); err != nil {
		t.Fatal(err)
	}
	defer b.admin.Close()
	t.Run("group", func(t *testing.T) { // ends when all of its tests have
		for name, test := range map[string]func(*testing.T){
			"who gives up": b.whoGivesUp, "contention": b.contention, "stale release": b.staleRelease,
			"cut waiter": b.cutWaiter, "revoked lease": b.revokedLease, "close": b.close, "ttl": b.ttl,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}

// whoGivesUp: a waiter whose context ends, or had ended before, leaves no key behind if it says so. On a machine too
// busy to confirm that in time it says that it does not know, and is asked again.
func (b *bench) whoGivesUp(t *testing.T) {
	acquire(t, b.open(t, patience), "give up")
	eventually(t, "a waiter is told that its key was deleted", func() bool {
		l := b.open(t, ttl)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := l.Acquire(ctx, "give up")
			done <- err
		}()
		eventually(t, "it waits", func() bool { return b.keys(t, "give up") == 2 })
		cancel()
		err := <-done
		sure := errors.Is(err, drivers.ErrNotAcquired)
		if n := b.keys(t, "give up"); sure && (n != 1 || !errors.Is(err, context.Canceled)) {
			t.Fatalf("%v, and there are %d keys, want the context's error and the holder's key alone", err, n)
		}
		if err := try(ctx, l, "give up"); !errors.Is(err, drivers.ErrNotAcquired) || !errors.Is(err, context.Canceled) {
			t.Fatalf("with a context that had ended: %v, want %v and the context's error", err, drivers.ErrNotAcquired)
		}
		_ = l.Close() // the lease expires if it could not be revoked
		eventually(t, "the session's key is gone", func() bool { return b.keys(t, "give up") == 1 })
		return sure
	})
}

// contention: one holder at a time, whose token is above those of all before it, whether it waited or not.
func (b *bench) contention(t *testing.T) {
	var mu sync.Mutex
	var tokens []uint64
	var workers sync.WaitGroup
	for range 4 {
		l := b.open(t, patience) // a busy machine must not cost a session
		workers.Go(func() {
			for range 10 {
				g, err := l.Acquire(t.Context(), "contention")
				if err != nil {
					t.Error(err)
					return
				}
				if !mu.TryLock() {
					t.Error("two hold the lock")
					return
				}
				token, ok := g.Token()
				if !ok || len(tokens) > 0 && token <= tokens[len(tokens)-1] {
					t.Errorf("token %d, %v after %v", token, ok, tokens)
				}
				tokens = append(tokens, token)
				mu.Unlock()
				if err := g.Release(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	if len(tokens) != 40 && !t.Failed() {
		t.Errorf("%d grants, want 40", len(tokens))
	}
}

// staleRelease: a session that releases an old grant keeps the next one, though both have the same key.
func (b *bench) staleRelease(t *testing.T) {
	one := b.open(t, ttl)
	old := acquire(t, one, "stale")
	if err := old.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := acquire(t, one, "stale")
	if err := old.Release(t.Context()); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("second release: %v, want %v", err, drivers.ErrNotHeld)
	}
	if n := b.keys(t, "stale"); n != 1 {
		t.Errorf("%d keys after it, want that of the next grant", n)
	}
	if err := next.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// cutWaiter: a waiter that cannot tell the servers that it gives up leaves open whether its key was deleted.
func (b *bench) cutWaiter(t *testing.T) {
	acquire(t, b.open(t, patience), "cut")
	addrs, cut := b.link(t)
	two := openAt(t, addrs, ttl)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := two.Acquire(ctx, "cut")
		done <- err
	}()
	eventually(t, "it waits", func() bool { return b.keys(t, "cut") == 2 })
	cut()
	cancel()
	if err := <-done; err == nil || errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("%v, want an error that leaves it open", err)
	}
	_ = two.Close() // it cannot tell the servers either
	eventually(t, "its key expires", func() bool { return b.keys(t, "cut") == 1 })
}

// revokedLease: a session whose lease ended at the servers loses its locks, learns it, and is of no more use.
func (b *bench) revokedLease(t *testing.T) {
	one := b.open(t, ttl)
	g := acquire(t, one, "revoked")
	if _, err := b.admin.Revoke(t.Context(), one.(*locker).session.Lease()); err != nil {
		t.Fatal(err)
	}
	if err := g.Release(t.Context()); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("release: %v, want %v", err, drivers.ErrNotHeld)
	}
	if err := try(t.Context(), one, "revoked"); err == nil || errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("acquire: %v, want an error that makes the caller close the session", err)
	}
	select {
	case <-g.Lost():
	case <-time.After(patience):
		t.Error("Lost never fired")
	}
	if err := one.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// close: what a session holds is free as soon as Close returns, not only when the lease expires.
func (b *bench) close(t *testing.T) {
	// On a busy machine the answer may take more than Close's grace, and then the lease is left to expire.
	eventually(t, "the session is closed in time", func() bool {
		one := b.open(t, ttl)
		acquire(t, one, "close")
		return one.Close() == nil
	})
	if n := b.keys(t, "close"); n != 0 {
		t.Errorf("%d keys left", n)
	}
}

// ttl: leases are what was asked for in whole seconds, but no shorter than Info says.
func (b *bench) ttl(t *testing.T) {
	shortest := Drivers()[0].Info.MinTTL
	for asked, want := range map[time.Duration]time.Duration{
		time.Second: shortest, shortest: shortest, shortest + time.Millisecond: shortest + time.Second, 10 * time.Second: 10 * time.Second,
	} {
		resp, err := b.admin.TimeToLive(t.Context(), b.open(t, asked).(*locker).session.Lease())
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Duration(resp.GrantedTTL) * time.Second; got != want {
			t.Errorf("asked for %v: %v, want %v", asked, got, want)
		}
	}
}

func (b *bench) open(t *testing.T, ttl time.Duration) drivers.Locker {
	t.Helper()
	return openAt(t, b.addrs, ttl)
}

// openAt opens a session that ends with the test.
func openAt(t *testing.T, addrs []string, ttl time.Duration) drivers.Locker {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := Drivers()[0].Open(ctx, addrs, drivers.Options{TTL: ttl, Rand: rand.New(rand.NewPCG(1, 0))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // a test may have closed it
	return l
}

// link makes links from a client to all members, and cuts them.
func (b *bench) link(t *testing.T) (addrs []string, cut func()) {
	t.Helper()
	links := faults.NewLinks()
	t.Cleanup(func() {
		if err := links.Close(); err != nil {
			t.Error(err)
		}
	})
	var flows []faults.Flow
	for i, server := range b.addrs {
		n := "n" + strconv.Itoa(i+1)
		addr, err := links.Open("c1", n, "127.0.0.1:0", server)
		if err != nil {
			t.Fatal(err)
		}
		addrs, flows = append(addrs, addr), append(flows, faults.Flow{From: "c1", To: n}, faults.Flow{From: n, To: "c1"})
	}
	return addrs, func() {
		if _, err := links.Cut(flows...); err != nil {
			t.Fatal(err)
		}
	}
}

// keys counts the keys of those that hold a lock or wait for it.
func (b *bench) keys(t *testing.T, lock string) int64 {
	t.Helper()
	resp, err := b.admin.Get(t.Context(), "/lockbench/"+lock+"/", clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	return resp.Count
}

func acquire(t *testing.T, l drivers.Locker, lock string) drivers.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	g, err := l.Acquire(ctx, lock)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func try(ctx context.Context, l drivers.Locker, lock string) error {
	_, err := l.Acquire(ctx, lock)
	return err
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}
