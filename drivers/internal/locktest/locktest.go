// Package locktest is what the tests of all locks do with a Locker and its leases.
package locktest

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
)

// Patience bounds whatever must happen in the end, on a busy machine too.
const Patience = 30 * time.Second

// Try acquires within the time.
func Try(l drivers.Locker, lock string, within time.Duration) (drivers.Lease, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return l.Acquire(ctx, lock)
}

// Acquire takes a lock that is free, or will be soon.
func Acquire(t testing.TB, l drivers.Locker, lock string) drivers.Lease {
	t.Helper()
	lease, err := Try(l, lock, Patience)
	if err != nil {
		t.Fatalf("acquire %s: %v", lock, err)
	}
	return lease
}

// Refused fails the test if the lock is granted within the time, or if the refusal proves nothing.
func Refused(t testing.TB, l drivers.Locker, lock string, within time.Duration) {
	t.Helper()
	if _, err := Try(l, lock, within); !errors.Is(err, drivers.ErrNotAcquired) {
		t.Fatalf("acquire of %s, which somebody holds: %v, want %v", lock, err, drivers.ErrNotAcquired)
	}
}

// InDoubt fails the test if err does not leave open what became of a call; what names the call.
func InDoubt(t testing.TB, what string, err error) {
	t.Helper()
	if err == nil || errors.Is(err, drivers.ErrNotAcquired) || errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("%s: %v, want an error that leaves it open", what, err)
	}
}

// TryRelease gives the lock back.
func TryRelease(lease drivers.Lease) error {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	return lease.Release(ctx)
}

// Release gives back a lock that is held.
func Release(t testing.TB, lease drivers.Lease) {
	t.Helper()
	if err := TryRelease(lease); err != nil {
		t.Fatalf("release: %v", err)
	}
}

// NotHeld fails the test unless the release says that the lease no longer held the lock; when says after what.
func NotHeld(t testing.TB, when string, lease drivers.Lease) {
	t.Helper()
	if err := TryRelease(lease); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("release %s: %v, want %v", when, err, drivers.ErrNotHeld)
	}
}

// AwaitLost waits until the holder is told that it may no longer assume that it holds.
func AwaitLost(t testing.TB, lease drivers.Lease) {
	t.Helper()
	select {
	case <-lease.Lost():
	case <-time.After(Patience):
		t.Fatal("Lost never closed")
	}
}

// NotLost fails the test if Lost is closed.
func NotLost(t testing.TB, lease drivers.Lease) {
	t.Helper()
	select {
	case <-lease.Lost():
		t.Fatal("Lost is closed although nothing was lost")
	default:
	}
}

// Token is the token of a lease that has one.
func Token(t testing.TB, lease drivers.Lease) uint64 {
	t.Helper()
	n, ok := lease.Token()
	if !ok {
		t.Fatal("no token")
	}
	return n
}

// Eventually waits until ok; what says for which event.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// NoGoroutine waits until no goroutine runs a function that is named so.
func NoGoroutine(t testing.TB, names ...string) {
	t.Helper()
	Eventually(t, "no goroutine is left of "+strings.Join(names, ", "), func() bool {
		buf := make([]byte, 1<<20)
		stacks := string(buf[:runtime.Stack(buf, true)])
		for _, name := range names {
			if strings.Contains(stacks, name) {
				return false
			}
		}
		return true
	})
}
