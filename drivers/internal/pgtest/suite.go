package pgtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

// Suite asks what every lock of PostgreSQL must do.
func (b Bench) Suite(t *testing.T) {
	b.Server.Need(t)
	type test struct {
		name string
		run  func(*testing.T)
	}
	tests := []test{
		{"terminated", b.terminated},
		{"cut while waiting", b.cutWhileWaiting},
		{"cancelled while waiting", b.cancelledWhileWaiting},
		{"closed while waiting", b.closedWhileWaiting},
		{"deadline at any time", b.deadlineAtAnyTime},
		{"deadlock", b.deadlock},
	}
	if b.Driver.Ledger != nil {
		tests = append(tests, test{"in transaction", b.inTransaction})
	}
	for _, test := range tests {
		t.Run(test.name, test.run)
		b.Server.Await(t, 0, Sessions) // nothing stays behind, and no test counts another's
		locktest.NoGoroutine(t, "pgsession.(*", "pgconn.(*")
	}
}

func (b Bench) terminated(t *testing.T) {
	one := b.Open(t)
	a, other := locktest.Acquire(t, one, "a"), locktest.Acquire(t, one, "b")
	b.Server.Terminate(t)
	locktest.AwaitLost(t, a)
	locktest.AwaitLost(t, other)
	next := locktest.Acquire(t, b.Open(t), "a")
	locktest.NotHeld(t, "after the server ended the session", a)
	if _, err := locktest.Try(one, "c", locktest.Patience); err == nil || errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("acquire in a dead session: %v, want an error that makes the caller close it", err)
	}
	locktest.Release(t, next)
}

// cutWhileWaiting has a session hold one lock and wait for another: it learns that it lost the first, and not before.
func (b Bench) cutWhileWaiting(t *testing.T) {
	one, link := b.linked(t)
	two := b.Open(t)
	held, wanted := locktest.Acquire(t, one, "a"), locktest.Acquire(t, two, "b")
	done := make(chan error, 1)
	go func() {
		_, err := one.Acquire(context.Background(), "b")
		done <- err
	}()
	b.Server.Await(t, 1, Waiting)
	b.Server.Await(t, 1, "select from pg_stat_activity where query like '%backend_start = $2%' and state = 'idle'") // asked whether it lives
	locktest.NotLost(t, held)
	heal := link.Cut(true, true)
	locktest.AwaitLost(t, held)
	if err := one.Close(); err != nil {
		t.Error(err)
	}
	locktest.InDoubt(t, "acquire over a cut link", <-done)
	heal()
	locktest.Release(t, wanted)
	locktest.Release(t, locktest.Acquire(t, two, "a"))
}

func (b Bench) cancelledWhileWaiting(t *testing.T) {
	one, two := b.Open(t), b.Open(t)
	lease := locktest.Acquire(t, one, "a")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := two.Acquire(ctx, "a")
		done <- err
	}()
	b.Server.Await(t, 1, Waiting)
	cancel()
	if err := <-done; err == nil {
		t.Error("a cancelled acquire was granted")
	}
	b.Server.Await(t, 0, Waiting) // although nobody closed it
	locktest.Release(t, lease)
	locktest.Release(t, locktest.Acquire(t, b.Open(t), "a"))
}

func (b Bench) closedWhileWaiting(t *testing.T) {
	one, two := b.Open(t), b.Open(t)
	lease := locktest.Acquire(t, one, "a")
	done := make(chan error, 1)
	go func() {
		_, err := two.Acquire(context.Background(), "a")
		done <- err
	}()
	b.Server.Await(t, 1, Waiting)
	if err := two.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		if err == nil {
			t.Error("granted in a closed session")
		}
	case <-time.After(locktest.Patience):
		t.Fatal("Close did not end the acquire")
	}
	b.Server.Await(t, 0, Waiting)
	locktest.Release(t, lease)
}

// deadlineAtAnyTime ends acquires of a lock that changes hands all the time, about when they are granted.
func (b Bench) deadlineAtAnyTime(t *testing.T) {
	holder, observer := b.Open(t), b.Open(t)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			lease, err := locktest.Try(holder, "a", locktest.Patience)
			if err == nil {
				err = locktest.TryRelease(lease)
			}
			select {
			case <-stop:
				stopped <- err
				return
			default:
			}
			if err != nil {
				stopped <- err
				return
			}
		}
	}()
	random := rand.New(rand.NewPCG(3, 4))
	rival := b.Open(t)
	outcomes := map[string]int{}
	for range 150 {
		lease, err := locktest.Try(rival, "a", time.Duration(random.IntN(4_000))*time.Microsecond)
		switch {
		case err == nil:
			outcomes["granted"]++
			locktest.Release(t, lease)
		case errors.Is(err, drivers.ErrNotAcquired):
			outcomes["refused"]++
		default:
			outcomes["in doubt"]++
			if err := rival.Close(); err != nil {
				t.Error(err)
			}
			rival = b.Open(t)
		}
	}
	t.Log(outcomes)
	close(stop)
	if err := <-stopped; err != nil {
		t.Errorf("the holder: %v", err)
	}
	locktest.Release(t, locktest.Acquire(t, observer, "a")) // although the rival's last session lives
}

// deadlock has two sessions ask for what the other holds: the server refuses one.
func (b Bench) deadlock(t *testing.T) {
	lockers := []drivers.Locker{b.Open(t), b.Open(t)}
	leases := []drivers.Lease{locktest.Acquire(t, lockers[0], "a"), locktest.Acquire(t, lockers[1], "b")}
	type result struct {
		who   int
		lease drivers.Lease
		err   error
	}
	results := make(chan result, 2)
	for i, name := range []string{"b", "a"} {
		go func() {
			lease, err := locktest.Try(lockers[i], name, locktest.Patience)
			results <- result{i, lease, err}
		}()
	}
	victim := <-results
	var winner result
	inTransaction := b.Driver.Info.Scope == drivers.ScopeTransaction
	if inTransaction { // it died of the refusal, which let the other one in
		if winner = <-results; victim.err == nil {
			victim, winner = winner, victim
		}
	}
	if !errors.Is(victim.err, drivers.ErrNotAcquired) {
		t.Fatalf("the victim of a deadlock: %v, want %v", victim.err, drivers.ErrNotAcquired)
	}
	if inTransaction {
		locktest.AwaitLost(t, leases[victim.who])
		locktest.NotHeld(t, "of what died with the transaction", leases[victim.who])
	} else {
		locktest.NotLost(t, leases[victim.who])
		locktest.Release(t, leases[victim.who])
		winner = <-results
	}
	if winner.err != nil {
		t.Fatalf("the other one: %v", winner.err)
	}
	locktest.Release(t, winner.lease)
	locktest.Release(t, leases[winner.who])
	locktest.Release(t, locktest.Acquire(t, lockers[victim.who], fmt.Sprintf("%c", 'b'-victim.who))) // its session is in order
}
