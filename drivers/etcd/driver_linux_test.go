package etcd

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/bed"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

const ttl = 2 * time.Second

func TestMain(m *testing.M) { os.Exit(bed.Main(m)) }

// bench is three members, and a client that sees what they store.
type bench struct {
	*bed.Bed
	admin *clientv3.Client
}

func TestLock(t *testing.T) {
	b := bench{Bed: bed.Start(t, Drivers()[0].Info, ttl)}
	var err error
	if b.admin, err = clientv3.New(clientv3.Config{Endpoints: b.Addrs(), Token: b.Credentials().Password, Logger: zap.NewNop()}); err != nil {
		t.Fatal(err)
	}
	defer b.admin.Close()
	t.Run("group", func(t *testing.T) { // ends when all of its tests have
		for name, test := range map[string]func(*testing.T){
			"who gives up": b.whoGivesUp, "stale release": b.staleRelease,
			"cut waiter": b.cutWaiter, "revoked lease": b.revokedLease, "close": b.close, "ttl": b.ttl,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
}

// whoGivesUp: a waiter whose context ends, or had ended before, leaves no key behind if it says so. On a machine too
// busy to confirm that in time it says that it does not know, and is asked again.
func (b *bench) whoGivesUp(t *testing.T) {
	locktest.Acquire(t, b.open(t, locktest.Patience), "give up")
	locktest.Eventually(t, "a waiter is told that its key was deleted", func() bool {
		l := b.open(t, ttl)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := l.Acquire(ctx, "give up")
			done <- err
		}()
		locktest.Eventually(t, "it waits", func() bool { return b.keys(t, "give up") == 2 })
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
		locktest.Eventually(t, "the session's key is gone", func() bool { return b.keys(t, "give up") == 1 })
		return sure
	})
}

// staleRelease: a session that releases an old grant keeps the next one, though both have the same key.
func (b *bench) staleRelease(t *testing.T) {
	one := b.open(t, ttl)
	old := locktest.Acquire(t, one, "stale")
	locktest.Release(t, old)
	next := locktest.Acquire(t, one, "stale")
	locktest.NotHeld(t, "a second time", old)
	if n := b.keys(t, "stale"); n != 1 {
		t.Errorf("%d keys after it, want that of the next grant", n)
	}
	locktest.Release(t, next)
}

// cutWaiter: a waiter that cannot tell the servers that it gives up leaves open whether its key was deleted.
func (b *bench) cutWaiter(t *testing.T) {
	locktest.Acquire(t, b.open(t, locktest.Patience), "cut")
	client := b.Client(t, "two")
	two := b.openAt(t, client.Addrs(), ttl)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := two.Acquire(ctx, "cut")
		done <- err
	}()
	locktest.Eventually(t, "it waits", func() bool { return b.keys(t, "cut") == 2 })
	client.Cut(true, true)
	cancel()
	locktest.InDoubt(t, "acquire", <-done)
	_ = two.Close() // it cannot tell the servers either
	locktest.Eventually(t, "its key expires", func() bool { return b.keys(t, "cut") == 1 })
}

// revokedLease: a session whose lease ended at the servers loses its locks, learns it, and is of no more use.
func (b *bench) revokedLease(t *testing.T) {
	one := b.open(t, ttl)
	g := locktest.Acquire(t, one, "revoked")
	if _, err := b.admin.Revoke(t.Context(), one.(*locker).session.Lease()); err != nil {
		t.Fatal(err)
	}
	locktest.NotHeld(t, "after its lease was revoked", g)
	locktest.InDoubt(t, "acquire in a session that is over", try(t.Context(), one, "revoked"))
	locktest.AwaitLost(t, g)
	if err := one.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// close: what a session holds is free as soon as Close returns, not only when the lease expires.
func (b *bench) close(t *testing.T) {
	// On a busy machine the answer may take more than Close's grace, and then the lease is left to expire.
	locktest.Eventually(t, "the session is closed in time", func() bool {
		one := b.open(t, ttl)
		locktest.Acquire(t, one, "close")
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
	return b.openAt(t, b.Addrs(), ttl)
}

// openAt opens a session that ends with the test.
func (b *bench) openAt(t *testing.T, addrs []string, ttl time.Duration) drivers.Locker {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), locktest.Patience)
	defer cancel()
	l, err := Drivers()[0].Open(ctx, addrs, drivers.Options{Credentials: b.Credentials(), TTL: ttl, Rand: rand.New(rand.NewPCG(1, 0))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // a test may have closed it
	return l
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

func try(ctx context.Context, l drivers.Locker, lock string) error {
	_, err := l.Acquire(ctx, lock)
	return err
}
