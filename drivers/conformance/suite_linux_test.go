package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/rng"
)

func (b *bench) suite(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"exclusion", b.exclusion},
		{"waiter", b.waiter},
		{"long hold", b.longHold},
		{"vanished holder", b.vanishedHolder},
		{"lost", b.lost},
		{"tokens", b.tokens},
		{"cancelled", b.cancelled},
		{"cancelled waiter", b.cancelledWaiter},
		{"cancelled behind a cut", b.cancelledBehindCut},
		{"lost reply", b.lostReply},
		{"close", b.close},
		{"close while waiting", b.closeWhileWaiting},
		{"round trips", b.roundTrips},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

// exclusion: one holder at a time, between two sessions and within one; locks of other names do not care.
func (b *bench) exclusion(t *testing.T) {
	// The test takes its time; nothing shall expire meanwhile.
	one, two := b.openFor(t, "one", long), b.openFor(t, "two", long)
	a := one.must("exclusion")
	two.refused("exclusion")
	two.mustRelease(two.must("exclusion other"))
	within := ttl / 4
	if b.driver.Info.Reentrant {
		within = patience
	}
	again, err := one.try("exclusion", within)
	switch {
	case b.driver.Info.Reentrant && err != nil:
		t.Errorf("a second acquire in one session: %v, although the lock is reentrant", err)
	case !b.driver.Info.Reentrant && err == nil:
		t.Error("a second acquire in one session was granted, although the lock is not reentrant")
	case err == nil && b.driver.Info.Name != "etcd": // whose session has one key in a lock, however often it asks
		one.mustRelease(again)
	}
	two.refused("exclusion")
	one.mustRelease(a)
	if err := one.release(a); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("second release: %v, want %v", err, drivers.ErrNotHeld)
	}
	next := two.must("exclusion")
	if err := one.release(a); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("release by the former holder: %v, want %v", err, drivers.ErrNotHeld)
	}
	b.open(t, "three").refused("exclusion")
	two.mustRelease(next)
}

// waiter: who waits is granted the lock once it is free.
func (b *bench) waiter(t *testing.T) {
	one, two := b.openFor(t, "one", long), b.openFor(t, "two", long)
	a := one.must("waiter")
	granted := make(chan error, 1)
	go func() {
		_, err := two.eventually("waiter")
		granted <- err
	}()
	select {
	case err := <-granted:
		t.Fatalf("granted while held: %v", err)
	case <-time.After(busy):
	}
	one.mustRelease(a)
	if err := <-granted; err != nil {
		t.Fatalf("the waiter: %v", err)
	}
}

// longHold: a lease that is not renewed ends after its TTL, and not before; anything else outlives it.
func (b *bench) longHold(t *testing.T) {
	one, two := b.open(t, "one"), b.openFor(t, "two", long)
	asked := time.Now()
	a := one.must("long hold")
	if b.driver.Info.Lease && !b.driver.Info.Renewed {
		learnt := make(chan time.Duration, 1)
		go func() {
			<-a.Lost()
			learnt <- time.Since(asked)
		}()
		next := two.must("long hold")
		// Redis counts in milliseconds, and Redlock in a majority.
		if held := time.Since(asked); held < ttl-2*time.Millisecond {
			t.Errorf("a lease of %v ended after %v", ttl, held)
		}
		one.awaitLost(a)
		// Whoever allows for drifting clocks allows for no more than a hundredth.
		if held := <-learnt; held < ttl-ttl/50 {
			t.Errorf("Lost fired after %v of a lease of %v", held, ttl)
		}
		if err := one.release(a); !errors.Is(err, drivers.ErrNotHeld) {
			t.Errorf("release after the TTL: %v, want %v", err, drivers.ErrNotHeld)
		}
		b.open(t, "three").refused("long hold")
		two.mustRelease(next)
		return
	}
	for time.Since(asked) < 2*ttl {
		two.refused("long hold")
	}
	if lost(a) {
		t.Error("Lost fired although nothing was lost")
	}
	one.mustRelease(a)
	two.mustRelease(two.must("long hold"))
}

// vanishedHolder: a holder that is not heard of any more is superseded if the lock is a lease, and can no longer
// release it.
func (b *bench) vanishedHolder(t *testing.T) {
	if !b.driver.Info.Lease {
		return // promised by leases only; the holder's session keeps it
	}
	one, two := b.open(t, "one"), b.openFor(t, "two", long)
	a := one.must("vanished")
	heal := one.cut(true, true)
	next := two.must("vanished")
	one.awaitLost(a)
	heal()
	if err := one.release(a); err == nil {
		t.Error("a superseded holder released the lock")
	}
	b.open(t, "three").refused("vanished")
	two.mustRelease(next)
}

// lost: a client that is cut off learns that it may no longer assume that it holds.
func (b *bench) lost(t *testing.T) {
	one := b.open(t, "one")
	a := one.must("lost")
	if lost(a) {
		t.Error("Lost fired at once")
	}
	one.cut(true, true)
	one.awaitLost(a)
}

// tokens: they grow with every grant, also after a holder vanished; a lock without them says so.
func (b *bench) tokens(t *testing.T) {
	sessions := []*session{b.open(t, "one"), b.open(t, "two")}
	last, any := uint64(0), false
	grant := func(s *session) drivers.Lease {
		t.Helper()
		l := s.must("tokens")
		token, ok := l.Token()
		if ok != (b.driver.Info.Token != "") {
			t.Fatalf("token %d, %v; Info says %q", token, ok, b.driver.Info.Token)
		}
		if ok && any && token <= last {
			t.Fatalf("token %d after %d", token, last)
		}
		last, any = token, true
		return l
	}
	for i := range 20 {
		s := sessions[i%2]
		s.mustRelease(grant(s))
	}
	a := grant(sessions[0])
	heal := sessions[0].cut(true, true)
	if b.driver.Info.Lease {
		sessions[1].mustRelease(grant(sessions[1]))
	}
	sessions[0].awaitLost(a)
	heal()
	sessions[0].reopen()
	sessions[0].mustRelease(grant(sessions[0]))
}

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
			if err := one.release(l); err != nil {
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
	two.mustRelease(two.must("cancelled"))
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
	one.mustRelease(a)
	three := b.open(t, "three")
	three.mustRelease(three.must("cancelled waiter"))
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
	one.mustRelease(one.must("lost reply"))
	heal := one.cut(false, true)
	if _, err := one.try("lost reply", ttl/4); err == nil || errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("acquire whose answer was lost: %v, want an error that leaves it open", err)
	}
	heal()
	one.reopen()
	two.mustRelease(two.must("lost reply"))
}

// close: a session takes with it what it held, where the service ties the two; Close does not wait for a server
// that does not answer.
func (b *bench) close(t *testing.T) {
	one, two := b.open(t, "one"), b.open(t, "two")
	one.must("close")
	_ = one.Close() // a server that is busy may not answer in time, and then ends the session by itself
	if b.driver.Info.Scope != drivers.ScopeKey {
		if _, err := two.try("close", patience); err != nil {
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
	one.mustRelease(a)
	three := b.open(t, "three")
	three.mustRelease(three.must("close while waiting"))
}
