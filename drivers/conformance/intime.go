package conformance

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

const (
	// brief is the length of leases whose end is watched, unless the service honours only longer ones. It is short
	// enough for a client library's own time-outs to show.
	brief = time.Second
	// margin is what a call may take beyond what was due, and beyond what the machine took for a timer.
	margin = brief / 20
	// closing bounds Close, whatever the network does.
	closing = time.Second + time.Second/4
)

// lateness measures how late this machine does what is due, until the test ends.
//
// A timer starts a goroutine that wakes another one up, as the watch over a lease does.
func lateness(t *testing.T) (worst func() time.Duration) {
	const tick = 5 * time.Millisecond
	var most atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			due := time.Now().Add(tick)
			rang := make(chan struct{})
			time.AfterFunc(tick, func() { close(rang) })
			select {
			case <-rang:
			case <-stop:
				return
			}
			most.Store(max(most.Load(), int64(time.Since(due))))
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
	return func() time.Duration { return time.Duration(most.Load()) }
}

// allowed is how much later than due something may be that takes a few timers and goroutines.
func allowed(worst func() time.Duration) time.Duration { return margin + 3*worst() }

// troubled is a test of a session whose network, or machine, is in trouble.
type troubled struct {
	name  string
	begin func(*session) (end func())
}

func (b *bench) troubles() []troubled {
	cut := func(requests, replies bool) func(*session) func() {
		return func(s *session) func() { return s.cut(requests, replies) }
	}
	return []troubled{
		{"cut off", cut(true, true)},
		{"requests held back", cut(true, false)},
		{"replies held back", cut(false, true)},
		{"slow", func(s *session) func() { return s.delay(2 * s.ttl) }},
		{"cut off on a busy machine", func(s *session) func() {
			heal, rest := s.cut(true, true), burn()
			return func() { rest(); heal() }
		}},
	}
}

// burn keeps all processors busy until rest is called.
func burn() (rest func()) {
	var rested atomic.Bool
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for !rested.Load() {
			}
		}()
	}
	return func() { rested.Store(true) }
}

// eachTrouble runs a test in each trouble, with a session of brief leases.
func (b *bench) eachTrouble(t *testing.T, run func(t *testing.T, one *session, begin func() (end func()))) {
	for _, trouble := range b.troubles() {
		t.Run(trouble.name, func(t *testing.T) {
			t.Parallel()
			one := b.openFor(t, "one", max(brief, b.driver.Info.MinTTL))
			run(t, one, func() func() { return trouble.begin(one) })
		})
	}
}

// lostInTime: a holder learns by the end of its lease that it may no longer assume that it holds, whatever its client
// is waiting for, and before a rival holds.
//
// No request that is sent in the trouble is answered before the lease ends. So the lease was extended last by a request
// that was sent before.
func (b *bench) lostInTime(t *testing.T) {
	b.eachTrouble(t, func(t *testing.T, one *session, begin func() func()) {
		two := b.openFor(t, "two", long)
		worst := lateness(t)
		a := one.must(t.Name())
		lost := make(chan time.Time, 1)
		go func() {
			<-a.Lost()
			lost <- time.Now()
		}()
		defer begin()()
		over := time.Now().Add(one.ttl)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		granted := make(chan time.Time, 1)
		go func() {
			defer close(granted)
			if _, err := two.Acquire(ctx, t.Name()); err == nil {
				granted <- time.Now()
			}
		}()
		locktest.AwaitLost(t, a)
		learnt := <-lost
		cancel()
		if at, ok := <-granted; ok && at.Before(over) {
			over = at
		}
		if late := learnt.Sub(over); !b.driver.Info.LateLoss && late > allowed(worst) {
			t.Errorf("Lost fired %v after the end of a lease of %v; a timer was late by %v at most", late, one.ttl, worst())
		}
	})
}

// closeInTime: Close returns in about a second whatever the network does and whatever is under way, and ends it.
func (b *bench) closeInTime(t *testing.T) {
	b.eachTrouble(t, func(t *testing.T, one *session, begin func() func()) {
		worst := lateness(t)
		one.must(t.Name())
		defer begin()()
		time.Sleep(one.ttl / 2) // an extension of the lease is under way, or a heartbeat
		acquired := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			_, err := one.Acquire(ctx, t.Name()+", too")
			acquired <- err
		}()
		select {
		case err := <-acquired: // in a session that is over
			acquired <- err
		case <-time.After(busy):
		}
		began := time.Now()
		_ = one.Close() // it cannot tell the server
		inTime := func(what string) {
			if took := time.Since(began); took > closing+allowed(worst) {
				t.Errorf("%s took %v; a timer was late by %v at most", what, took, worst())
			}
		}
		inTime("Close")
		select {
		case err := <-acquired:
			if err == nil {
				t.Error("an acquire was granted that Close should have ended")
			}
			inTime("the end of an acquire by Close")
		case <-time.After(patience):
			t.Error("Close did not end the acquire under way")
		}
	})
}
