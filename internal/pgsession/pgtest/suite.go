package pgtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
)

// Suite asks what every lock of PostgreSQL must do.
func (b Bench) Suite(t *testing.T) {
	b.Server.Need(t)
	type test struct {
		name string
		run  func(*testing.T)
	}
	tests := []test{
		{"exclusion", b.exclusion},
		{"reentry", b.reentry},
		{"terminated", b.terminated},
		{"cut", b.cut},
		{"replies cut", b.repliesCut},
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
		awaitNoGoroutine(t)
	}
}

// awaitNoGoroutine waits until neither a session nor its connection has a goroutine: after Close there is none.
func awaitNoGoroutine(t *testing.T) {
	t.Helper()
	var stacks string
	for deadline := time.Now().Add(patience / 4); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "pgsession.(*") && !strings.Contains(stacks, "pgconn.(*") {
			return
		}
	}
	t.Fatalf("goroutines left behind:\n%s", stacks)
}

func (b Bench) exclusion(t *testing.T) {
	one, two := b.Open(t, b.Server.Addr), b.Open(t, b.Server.Addr)
	lease := Acquire(t, one, "a")
	for range 2 { // a refusal leaves the session in order
		Refused(t, two, "a")
	}
	Release(t, Acquire(t, two, "b"))
	NotLost(t, lease)
	Release(t, lease)
	if err := release(lease); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("second release: %v, want %v", err, drivers.ErrNotHeld)
	}
	next := Acquire(t, two, "a")
	if err := release(lease); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("release by the former holder: %v, want %v", err, drivers.ErrNotHeld)
	}
	Refused(t, one, "a")
	Release(t, next)
	NotLost(t, lease)
}

func (b Bench) reentry(t *testing.T) {
	one, two := b.Open(t, b.Server.Addr), b.Open(t, b.Server.Addr)
	first, second := Acquire(t, one, "a"), Acquire(t, one, "a")
	Release(t, first)
	if err := release(first); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("second release: %v, want %v", err, drivers.ErrNotHeld)
	}
	Refused(t, two, "a") // the other lease still holds
	Release(t, second)
	Release(t, Acquire(t, two, "a"))
}

func (b Bench) terminated(t *testing.T) {
	one := b.Open(t, b.Server.Addr)
	a, other := Acquire(t, one, "a"), Acquire(t, one, "b")
	b.Server.Terminate(t)
	AwaitLost(t, a)
	AwaitLost(t, other)
	next := Acquire(t, b.Open(t, b.Server.Addr), "a")
	if err := release(a); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("release after the server ended the session: %v, want %v", err, drivers.ErrNotHeld)
	}
	if _, err := acquireWithin(one, "c", patience); err == nil || errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("acquire in a dead session: %v, want an error that makes the caller close it", err)
	}
	Release(t, next)
}

func (b Bench) cut(t *testing.T) {
	link := NewLink(t, b.Server.Addr)
	one, two := b.Open(t, link.Addr), b.Open(t, b.Server.Addr)
	lease := Acquire(t, one, "a")
	link.Cut()
	AwaitLost(t, lease)
	Refused(t, two, "a") // the server knows nothing of it
	if err := release(lease); err == nil || errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("release over a cut link: %v, want an error that leaves it open", err)
	}
	if err := one.Close(); err != nil {
		t.Error(err)
	}
	link.Heal()
	Release(t, Acquire(t, two, "a"))
}

func (b Bench) repliesCut(t *testing.T) {
	link := NewLink(t, b.Server.Addr)
	one, two := b.Open(t, link.Addr), b.Open(t, b.Server.Addr)
	Release(t, Acquire(t, one, "a"))
	link.CutReplies()
	if _, err := acquireWithin(one, "a", 100*time.Millisecond); err == nil || errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("acquire whose reply was lost: %v, want an error that leaves it open", err)
	}
	if err := one.Close(); err != nil {
		t.Error(err)
	}
	link.Heal()
	Release(t, Acquire(t, two, "a"))
}

// cutWhileWaiting has a session hold one lock and wait for another: it learns that it lost the first, and not before.
func (b Bench) cutWhileWaiting(t *testing.T) {
	link := NewLink(t, b.Server.Addr)
	one, two := b.Open(t, link.Addr), b.Open(t, b.Server.Addr)
	held, wanted := Acquire(t, one, "a"), Acquire(t, two, "b")
	done := make(chan error, 1)
	go func() {
		_, err := one.Acquire(context.Background(), "b")
		done <- err
	}()
	b.Server.Await(t, 1, Waiting)
	b.Server.Await(t, 1, "select from pg_stat_activity where query like '%backend_start = $2%' and state = 'idle'") // asked whether it lives
	NotLost(t, held)
	link.Cut()
	AwaitLost(t, held)
	if err := one.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil || errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("acquire over a cut link: %v, want an error that leaves it open", err)
	}
	link.Heal()
	Release(t, wanted)
	Release(t, Acquire(t, two, "a"))
}

func (b Bench) cancelledWhileWaiting(t *testing.T) {
	one, two := b.Open(t, b.Server.Addr), b.Open(t, b.Server.Addr)
	lease := Acquire(t, one, "a")
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
	Release(t, lease)
	Release(t, Acquire(t, b.Open(t, b.Server.Addr), "a"))
}

func (b Bench) closedWhileWaiting(t *testing.T) {
	one, two := b.Open(t, b.Server.Addr), b.Open(t, b.Server.Addr)
	lease := Acquire(t, one, "a")
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
	case <-time.After(patience):
		t.Fatal("Close did not end the acquire")
	}
	b.Server.Await(t, 0, Waiting)
	Release(t, lease)
}

// deadlineAtAnyTime ends acquires of a lock that changes hands all the time, about when they are granted.
func (b Bench) deadlineAtAnyTime(t *testing.T) {
	holder, observer := b.Open(t, b.Server.Addr), b.Open(t, b.Server.Addr)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			lease, err := acquireWithin(holder, "a", patience)
			if err == nil {
				err = release(lease)
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
	rival := b.Open(t, b.Server.Addr)
	outcomes := map[string]int{}
	for range 150 {
		lease, err := acquireWithin(rival, "a", time.Duration(random.IntN(4_000))*time.Microsecond)
		switch {
		case err == nil:
			outcomes["granted"]++
			Release(t, lease)
		case errors.Is(err, drivers.ErrNotAcquired):
			outcomes["refused"]++
		default:
			outcomes["in doubt"]++
			if err := rival.Close(); err != nil {
				t.Error(err)
			}
			rival = b.Open(t, b.Server.Addr)
		}
	}
	t.Log(outcomes)
	close(stop)
	if err := <-stopped; err != nil {
		t.Errorf("the holder: %v", err)
	}
	Release(t, Acquire(t, observer, "a")) // although the rival's last session lives
}

// deadlock has two sessions ask for what the other holds: the server refuses one.
func (b Bench) deadlock(t *testing.T) {
	lockers := []drivers.Locker{b.Open(t, b.Server.Addr), b.Open(t, b.Server.Addr)}
	leases := []drivers.Lease{Acquire(t, lockers[0], "a"), Acquire(t, lockers[1], "b")}
	type result struct {
		who   int
		lease drivers.Lease
		err   error
	}
	results := make(chan result, 2)
	for i, name := range []string{"b", "a"} {
		go func() {
			lease, err := acquireWithin(lockers[i], name, patience)
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
		AwaitLost(t, leases[victim.who])
		if err := release(leases[victim.who]); !errors.Is(err, drivers.ErrNotHeld) {
			t.Errorf("release of what died with the transaction: %v, want %v", err, drivers.ErrNotHeld)
		}
	} else {
		NotLost(t, leases[victim.who])
		Release(t, leases[victim.who])
		winner = <-results
	}
	if winner.err != nil {
		t.Fatalf("the other one: %v", winner.err)
	}
	Release(t, winner.lease)
	Release(t, leases[winner.who])
	Release(t, Acquire(t, lockers[victim.who], fmt.Sprintf("%c", 'b'-victim.who))) // its session is in order
}
