package pgtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// refusal is how long an acquire asks for a lock that is held. A tenth of it is left for the server's refusal to arrive
// on a busy machine; one that comes too late proves nothing.
const refusal = 1500 * time.Millisecond

// Bench is a driver under test with its server.
type Bench struct {
	Server Server
	Driver drivers.Driver
	TTL    time.Duration
}

// Open opens a Locker at addr, which closes with the test.
func (b Bench) Open(t testing.TB, addr string) drivers.Locker {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l, err := b.Driver.Open(ctx, []string{addr}, drivers.Options{TTL: b.TTL, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Acquire takes a lock that must be free soon.
func Acquire(t testing.TB, l drivers.Locker, name string) drivers.Lease {
	t.Helper()
	lease, err := acquireWithin(l, name, patience)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

func acquireWithin(l drivers.Locker, name string, d time.Duration) (drivers.Lease, error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return l.Acquire(ctx, name)
}

// Release gives back a lock that must be held.
func Release(t testing.TB, lease drivers.Lease) {
	t.Helper()
	if err := release(lease); err != nil {
		t.Fatal(err)
	}
}

func release(lease drivers.Lease) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return lease.Release(ctx)
}

// Refused fails the test if l can take the lock, or cannot prove that it did not.
func Refused(t testing.TB, l drivers.Locker, name string) {
	t.Helper()
	if _, err := acquireWithin(l, name, refusal); !errors.Is(err, drivers.ErrNotAcquired) {
		t.Fatalf("acquire of a lock that is held: %v, want %v", err, drivers.ErrNotAcquired)
	}
}

// AwaitLost waits until the lease is lost.
func AwaitLost(t testing.TB, lease drivers.Lease) {
	t.Helper()
	select {
	case <-lease.Lost():
	case <-time.After(patience):
		t.Fatal("Lost did not close")
	}
}

// NotLost fails the test if the lease is lost.
func NotLost(t testing.TB, lease drivers.Lease) {
	t.Helper()
	select {
	case <-lease.Lost():
		t.Fatal("Lost is closed")
	default:
	}
}
