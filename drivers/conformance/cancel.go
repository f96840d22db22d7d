package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/internal/rng"
)

// cancelled: an acquire that ends at any moment, by its deadline or by a cancellation, leaves nothing locked for
// longer than the TTL.
func (b *bench) cancelled(t *testing.T) {
	one, two := b.open(t, "one"), b.open(t, "two")
	random := rng.Stream(1, t.Name(), 0)
	outcomes := map[string]int{}
	takes := 10 * time.Millisecond // a guess at twice what an acquire takes
	for i := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		within := time.Duration(random.Int64N(int64(takes)))
		if i%2 == 0 {
			ctx, cancel = context.WithTimeout(t.Context(), within)
		} else {
			time.AfterFunc(within, cancel)
		}
		began := time.Now()
		l, err := one.Acquire(ctx, "cancelled")
		cancel()
		if err != nil {
			takes += takes / 4
		}
		switch {
		case err == nil:
			outcomes["granted"]++
			takes = max(2*time.Since(began), 100*time.Microsecond)
			if err := locktest.TryRelease(l); err != nil {
				one.reopen()
			}
		case errors.Is(err, drivers.ErrNotAcquired):
			outcomes["refused"]++
		default:
			outcomes["in doubt"]++
			one.reopen()
		}
	}
	t.Log(outcomes)
	if outcomes["granted"] == 40 {
		t.Error("no acquire was cancelled: the test shows nothing")
	}
	locktest.Release(t, two.must("cancelled"))
}

// cancelledWaiter: one that gave up is granted nothing later.
func (b *bench) cancelledWaiter(t *testing.T) {
	one, two := b.openFor(t, "one", long), b.openFor(t, "two", long)
	a := one.must("cancelled waiter")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := two.Acquire(ctx, "cancelled waiter")
		done <- err
	}()
	time.AfterFunc(busy, cancel)
	switch err := <-done; {
	case err == nil:
		t.Fatal("a cancelled acquire was granted")
	case !errors.Is(err, drivers.ErrNotAcquired):
		two.reopen() // as who is in doubt must
	}
	locktest.Release(t, a)
	three := b.open(t, "three")
	locktest.Release(t, three.must("cancelled waiter"))
}

// cancelledBehindCut: a call that no server answers ends when its context is cancelled, not when a library's own
// time-out has passed.
func (b *bench) cancelledBehindCut(t *testing.T) {
	one, two := b.openFor(t, "one", long), b.openFor(t, "two", long)
	a := one.must("cut")
	one.cut(true, true)
	two.cut(true, true)
	ctx, cancel := context.WithCancel(t.Context())
	acquired, released := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := two.Acquire(ctx, "cut")
		acquired <- err
	}()
	go func() { released <- a.Release(ctx) }()
	select {
	case err := <-acquired:
		t.Errorf("acquire ended before its context: %v", err)
		acquired <- err
	case err := <-released:
		t.Errorf("release ended before its context: %v", err)
		released <- err
	case <-time.After(busy):
	}
	cancel()
	over := time.After(prompt)
	for call, ended := range map[string]chan error{"acquire": acquired, "release": released} {
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%s succeeded behind a cut", call)
			}
		case <-over:
			t.Fatalf("%s goes on after its context was cancelled", call)
		}
	}
}

// lostReply: an acquire whose answer is lost is never said to have failed; the server may well have granted it.
func (b *bench) lostReply(t *testing.T) {
	one, two := b.open(t, "one"), b.open(t, "two")
	locktest.Release(t, one.must("lost reply"))
	heal := one.cut(false, true)
	_, err := locktest.Try(one, "lost reply", TTL/4)
	locktest.InDoubt(t, "acquire whose answer was lost", err)
	heal()
	one.reopen()
	locktest.Release(t, two.must("lost reply"))
}

// close: a session takes with it what it held, where the service ties the two; Close does not wait for a server
// that does not answer.
func (b *bench) close(t *testing.T) {
	one, two := b.open(t, "one"), b.open(t, "two")
	one.must("close")
	_ = one.Close() // a server that is busy may not answer in time, and then ends the session by itself
	if b.driver.Info.Scope != drivers.ScopeKey {
		if _, err := locktest.Try(two, "close", patience); err != nil {
			t.Errorf("acquire after the holder's session was closed: %v", err)
		}
	}
	two.cut(true, true)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = two.Close() // it cannot tell the server
	}()
	select {
	case <-closed:
	case <-time.After(prompt):
		t.Error("Close waits for a server that does not answer")
	}
}

// closeWhileWaiting: Close ends an acquire under way, and it is not granted.
func (b *bench) closeWhileWaiting(t *testing.T) {
	one, two := b.openFor(t, "one", long), b.openFor(t, "two", long)
	a := one.must("close while waiting")
	done := make(chan error, 1)
	go func() {
		_, err := two.Acquire(t.Context(), "close while waiting")
		done <- err
	}()
	time.AfterFunc(busy, func() { _ = two.Close() })
	select {
	case err := <-done:
		if err == nil {
			t.Error("an acquire was granted that Close should have ended")
		}
	case <-time.After(busy + prompt):
		t.Fatal("Close did not end the acquire under way")
	}
	locktest.Release(t, a)
	three := b.open(t, "three")
	locktest.Release(t, three.must("close while waiting"))
}
