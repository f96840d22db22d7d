package redisredlock

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/bed"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/drivers/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(bed.Main(m)) }

// plain and renewed are the lock and its variant.
func plain() drivers.Driver   { return Drivers()[0] }
func renewed() drivers.Driver { return Drivers()[1] }

// With a minority of the masters dead everything works; with a majority dead nothing is granted, and since no
// connection to them is made, that is proven.
func TestDeadMasters(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, nodes)
	s.Addrs = nil // refused connections are the point: past the links
	for _, n := range s.Nodes {
		s.Addrs = append(s.Addrs, n.Addr)
	}
	l := s.Open(t, plain(), 2*time.Second, "")
	s.Kill(t, 0)
	s.Kill(t, 1)
	locktest.Release(t, locktest.Acquire(t, l, "lock"))
	fresh := s.Open(t, plain(), 2*time.Second, "fresh")
	locktest.Release(t, locktest.Acquire(t, fresh, "lock"))
	s.Kill(t, 2)
	// A connection that was there is found broken first, perhaps only as the command is sent: that leaves it open.
	locktest.Eventually(t, "an acquire that is proven to have taken nothing", func() bool {
		return errors.Is(refusal(l, 300*time.Millisecond), drivers.ErrNotAcquired)
	})
	if l, err := plain().Open(t.Context(), s.Addrs, drivers.Options{Credentials: s.Credentials(), TTL: 2 * time.Second}); err == nil {
		_ = l.Close()
		t.Error("a session was opened with a majority dead")
	}
}

// An acquire that a majority refuses took nothing, and keeps nobody out.
func TestTaken(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, nodes)
	l := s.Open(t, plain(), 2*time.Second, "")
	for i := range quorum {
		s.Set(t, i, "lock", "rival")
	}
	// An acquire whose time ends while the masters are asked is left open.
	locktest.Eventually(t, "an acquire that is proven to have taken nothing", func() bool {
		return errors.Is(refusal(l, 200*time.Millisecond), drivers.ErrNotAcquired)
	})
	for i := range quorum {
		if v := s.Value(t, i, "lock"); v != "rival" {
			t.Errorf("master %d: the key is %q, it was the rival's", i, v)
		}
		s.Delete(t, i, "lock")
	}
	locktest.Release(t, locktest.Acquire(t, s.Open(t, plain(), 2*time.Second, "other"), "lock"))
}

// Masters that may have said yes and whose answers are lost leave it open.
func TestLostReplies(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, nodes)
	l := s.Open(t, plain(), 2*time.Second, "")
	locktest.Release(t, locktest.Acquire(t, l, "lock")) // every connection is made
	s.Hold(0, 1, 2)
	locktest.InDoubt(t, "acquire with the replies of a majority lost", refusal(l, time.Second))
}

// Two votes against two, the fifth master silent: nobody wins, and the acquire goes on until somebody does.
func TestSplitVote(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, nodes)
	l := s.Open(t, plain(), 4*time.Second, "")
	locktest.Release(t, locktest.Acquire(t, l, "lock"))
	s.Set(t, 0, "lock", "rival")
	s.Set(t, 1, "lock", "rival")
	s.Hold(4)
	ctx, cancel := context.WithTimeout(t.Context(), locktest.Patience)
	defer cancel()
	type outcome struct {
		lease drivers.Lease
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		lease, err := l.Acquire(ctx, "lock")
		done <- outcome{lease, err}
	}()
	locktest.Eventually(t, "a minority says yes", func() bool { return s.Value(t, 2, "lock") != "" })
	locktest.Eventually(t, "it is taken back", func() bool { return s.Value(t, 2, "lock") == "" })
	s.Delete(t, 0, "lock")
	s.Delete(t, 1, "lock")
	if got := <-done; got.err != nil {
		t.Errorf("the waiter: %v", got.err)
	}
}

// A lease that a majority no longer knows is lost as soon as the watchdog hears of it, and not given back over the
// heads of its next owner.
func TestWatchdogFindsTheKeyTaken(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, nodes)
	const ttl = 6 * time.Second // the watchdog looks after a third of it
	lease := locktest.Acquire(t, s.Open(t, renewed(), ttl, ""), "lock")
	over := time.After(ttl - ttl/4)
	s.Delete(t, 0, "lock")
	s.Set(t, 1, "lock", "rival")
	s.Set(t, 2, "lock", "rival")
	select {
	case <-lease.Lost():
	case <-over:
		t.Fatal("the watchdog said nothing")
	}
	locktest.NotHeld(t, "of what has another owner", lease)
	for i := 1; i <= 2; i++ {
		if v := s.Value(t, i, "lock"); v != "rival" {
			t.Errorf("master %d: the key is %q, it was the rival's", i, v)
		}
	}
}

// A minority that forgets the lock, or dies, does not end a lease that is renewed.
func TestRenewedByAMajority(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, nodes)
	const ttl = 3 * time.Second
	lease := locktest.Acquire(t, s.Open(t, renewed(), ttl, ""), "lock")
	s.Kill(t, 0)
	s.Delete(t, 1, "lock")
	for range 4 { // extensions, a third of the TTL apart
		left := s.TTL(t, 2, "lock")
		locktest.Eventually(t, "the lease is extended", func() bool {
			now := s.TTL(t, 2, "lock")
			extended := now > left
			left = now
			return extended
		})
	}
	locktest.NotLost(t, lease)
	locktest.Release(t, lease)
}

// A minority out of reach does not end a lease that is renewed, although redsync waits for every master.
func TestRenewedWithAMinorityCutOff(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, nodes)
	const ttl = 3 * time.Second
	lease := locktest.Acquire(t, s.Open(t, renewed(), ttl, ""), "lock")
	s.Hold(3, 4)
	for over := time.Now().Add(2 * ttl); time.Now().Before(over); time.Sleep(ttl / 30) {
		locktest.NotLost(t, lease)
	}
}

// A master out of reach keeps nobody from opening a session: it is not waited for.
func TestOpenWithAMasterCutOff(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, nodes)
	defer s.Hold(3, 4)()
	ctx, cancel := context.WithTimeout(t.Context(), locktest.Patience)
	defer cancel()
	l, err := plain().Open(ctx, s.Addrs, drivers.Options{Credentials: s.Credentials(), TTL: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ctx.Err() != nil {
		t.Error("it waited for the master for as long as it could")
	}
}

func TestServers(t *testing.T) {
	if _, err := plain().Open(t.Context(), []string{"a:1"}, drivers.Options{}); err == nil {
		t.Error("one server was taken for five")
	}
}

// refusal is why the lock is not granted within the time; nil: it is.
func refusal(l drivers.Locker, within time.Duration) error {
	_, err := locktest.Try(l, "lock", within)
	return err
}
