package conformance

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/internal/roundtrips"
)

// exclusion: one holder at a time, between two sessions and within one; locks of other names do not care.
func (b *bench) exclusion(t *testing.T) {
	// The test takes its time; nothing shall expire meanwhile.
	one, two := b.openFor(t, "one", ample), b.openFor(t, "two", ample)
	a := one.must("exclusion")
	two.refused("exclusion")
	locktest.Release(t, two.must("exclusion other"))
	within := TTL / 4
	if b.driver.Info.Reentrant {
		within = patience
	}
	again, err := locktest.Try(one, "exclusion", within)
	switch {
	case b.driver.Info.Reentrant && err != nil:
		t.Errorf("a second acquire in one session: %v, although the lock is reentrant", err)
	case !b.driver.Info.Reentrant && err == nil:
		t.Error("a second acquire in one session was granted, although the lock is not reentrant")
	case err == nil && !b.driver.Info.OneRelease:
		locktest.Release(t, again)
		locktest.NotHeld(t, "a second time, while another grant of the session holds", again)
	}
	two.refused("exclusion")
	locktest.NotLost(t, a)
	locktest.Release(t, a)
	locktest.NotHeld(t, "a second time", a)
	next := two.must("exclusion")
	locktest.NotHeld(t, "by the former holder", a)
	b.open(t, "three").refused("exclusion")
	locktest.Release(t, next)
}

// contention: of several that ask all the time one holds the lock at a time, and its token is above those of all
// before.
func (b *bench) contention(t *testing.T) {
	const workers, each = 4, 10
	var holding sync.Mutex
	var tokens []uint64
	var running sync.WaitGroup
	for i := range workers {
		s := b.openFor(t, fmt.Sprint("worker ", i), ample)
		running.Go(func() {
			for range each {
				lease, err := s.eventually("contention")
				if err != nil {
					t.Error(err)
					return
				}
				if !holding.TryLock() {
					t.Error("two hold the lock")
					return
				}
				if token, ok := lease.Token(); ok {
					if n := len(tokens); n > 0 && token <= tokens[n-1] {
						t.Errorf("token %d after %v", token, tokens)
					}
					tokens = append(tokens, token)
				}
				holding.Unlock()
				if err := locktest.TryRelease(lease); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
}

// namespaces: locks of the same name in two namespaces are two locks.
func (b *bench) namespaces(t *testing.T) {
	one, two := b.openFor(t, "one", ample), b.openIn(t, "two", "conformance-other", ample)
	a, other := one.must("namespaces"), two.must("namespaces")
	b.openFor(t, "three", ample).refused("namespaces")
	locktest.Release(t, a)
	locktest.NotLost(t, other)
	locktest.Release(t, other)
}

// waiter: who waits is granted the lock once it is free.
func (b *bench) waiter(t *testing.T) {
	one, two := b.openFor(t, "one", ample), b.openFor(t, "two", ample)
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
	locktest.Release(t, a)
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
		if held := time.Since(asked); held < TTL-2*time.Millisecond {
			t.Errorf("a lease of %v ended after %v", TTL, held)
		}
		locktest.AwaitLost(t, a)
		// Whoever allows for drifting clocks allows for no more than a hundredth.
		if held := <-learnt; held < TTL-TTL/50 {
			t.Errorf("Lost fired after %v of a lease of %v", held, TTL)
		}
		locktest.NotHeld(t, "after the TTL", a)
		b.open(t, "three").refused("long hold")
		locktest.Release(t, next)
		return
	}
	for time.Since(asked) < 2*TTL {
		two.refused("long hold")
	}
	locktest.NotLost(t, a)
	locktest.Release(t, a)
	locktest.Release(t, two.must("long hold"))
}

// vanishedHolder: a holder that is not heard of any more is superseded if the lock is a lease, and can no longer
// release it. Any other lock stays taken until its holder's session is closed.
func (b *bench) vanishedHolder(t *testing.T) {
	one, two := b.open(t, "one"), b.openFor(t, "two", long)
	a := one.must("vanished")
	heal := one.cut(true, true)
	if !b.driver.Info.Lease {
		locktest.AwaitLost(t, a)
		two.refused("vanished")
		_ = one.Close() // it cannot tell the server
		heal()
		locktest.Release(t, two.must("vanished"))
		return
	}
	next := two.must("vanished")
	locktest.AwaitLost(t, a)
	heal()
	if err := locktest.TryRelease(a); err == nil {
		t.Error("a superseded holder released the lock")
	}
	b.open(t, "three").refused("vanished")
	locktest.Release(t, next)
}

// lost: a client that is cut off learns that it may no longer assume that it holds.
func (b *bench) lost(t *testing.T) {
	one := b.open(t, "one")
	a := one.must("lost")
	locktest.NotLost(t, a)
	one.cut(true, true)
	locktest.AwaitLost(t, a)
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
		locktest.Release(t, grant(s))
	}
	a := grant(sessions[0])
	heal := sessions[0].cut(true, true)
	if b.driver.Info.Lease {
		locktest.Release(t, grant(sessions[1]))
	}
	locktest.AwaitLost(t, a)
	heal()
	sessions[0].reopen()
	locktest.Release(t, grant(sessions[0]))
}

// tripTries is how often the round trips are counted until the count is what the driver declares.
const tripTries = 5

// roundTrips: an uncontended acquire waits for its servers as often as the driver says.
func (b *bench) roundTrips(t *testing.T) {
	client := b.servers.Connect(t, "round trips")
	delayer, ok := client.(Delayer)
	if !ok {
		t.Skip("SKIPPED, NOT PROVEN: the way to these servers cannot be made longer")
	}
	var found roundtrips.Found
	var err error
	for range tripTries { // a busy machine makes an acquire seem to take one more
		found, err = roundtrips.Measure(t.Context(), roundtrips.Config{
			Driver: b.driver, Addrs: client.Addrs(), Longer: delayer.Delay, Delay: long / 100,
			Options: options(client, long, "conformance", rng.Stream(1, t.Name(), 0)),
		})
		if err == nil && found.N == b.driver.Info.RoundTrips {
			return
		}
	}
	t.Errorf("%+v, %v; the driver declares %d", found, err, b.driver.Info.RoundTrips)
}
