package redissetnx

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/bed"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/drivers/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(bed.Main(m)) }

// forever is a TTL that no test waits for.
const forever = time.Hour

// plain and renewed are the lock and its variant.
func plain() drivers.Driver   { return Drivers()[0] }
func renewed() drivers.Driver { return Drivers()[1] }

// A watchdog that finds the key gone, or somebody else's, says so long before the TTL has passed.
func TestWatchdogFindsTheKeyTaken(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, 1)
	const ttl = 6 * time.Second // the watchdog looks after a third of it
	var leases []drivers.Lease
	for _, lock := range []string{"deleted", "taken"} {
		leases = append(leases, locktest.Acquire(t, s.Open(t, renewed(), ttl, lock), lock))
	}
	over := time.After(ttl - ttl/4)
	s.Delete(t, 0, "deleted")
	s.Set(t, 0, "taken", "rival")
	for _, lease := range leases {
		select {
		case <-lease.Lost():
		case <-over:
			t.Fatal("the watchdog said nothing")
		}
		locktest.NotHeld(t, "of what has another owner", lease)
	}
	if deleted, taken := s.Value(t, 0, "deleted"), s.Value(t, 0, "taken"); deleted != "" || taken != "rival" {
		t.Errorf("the keys are %q and %q: the former holders touched them", deleted, taken)
	}
}

// Without its server a holder learns by the TTL that it may hold no longer, and whoever asks is told that nothing
// was taken: no connection was made.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	for _, d := range Drivers() {
		t.Run(d.Info.Name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, 1)
			l := s.Open(t, d, 500*time.Millisecond, "")
			lease := locktest.Acquire(t, l, "lock")
			s.Kill(t, 0)
			locktest.AwaitLost(t, lease)
			if err := lease.Release(t.Context()); err == nil || errors.Is(err, drivers.ErrNotHeld) {
				t.Errorf("release with the server gone: %v, want an error that leaves it open", err)
			}
			direct, err := d.Open(t.Context(), []string{s.Nodes[0].Addr}, drivers.Options{Credentials: s.Credentials(), TTL: forever, Rand: rand.New(rand.NewPCG(1, 1))})
			if err == nil {
				_ = direct.Close()
				t.Error("a session was opened with a server that is gone")
			}
		})
	}
}

// Who is refused a connection has asked for nothing.
func TestNeverSent(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, 1)
	l, err := plain().Open(t.Context(), []string{s.Nodes[0].Addr}, drivers.Options{Credentials: s.Credentials(), TTL: forever, Rand: rand.New(rand.NewPCG(1, 1))})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s.Kill(t, 0)
	// The session's connection is found broken first, perhaps only as the command is sent: that leaves it open.
	locktest.Eventually(t, "an acquire that is proven to have taken nothing", func() bool {
		return errors.Is(refusal(l, locktest.Patience), drivers.ErrNotAcquired)
	})
}

// A reply that comes when the key has expired grants nothing.
func TestReplyAfterTheTTL(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, 1)
	l := s.Open(t, plain(), 300*time.Millisecond, "")
	heal := s.Hold(0)
	done := make(chan error, 1)
	go func() {
		_, err := l.Acquire(t.Context(), "lock")
		done <- err
	}()
	locktest.Eventually(t, "the server grants it", func() bool { return s.Value(t, 0, "lock") != "" })
	locktest.Eventually(t, "the key expires", func() bool { return s.Value(t, 0, "lock") == "" })
	heal()
	if err := <-done; err == nil || errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("acquire whose reply came after the TTL: %v, want an error that leaves it open", err)
	}
}

// A waiter whose last question was granted, and whose answer is lost, must not call it not acquired: the answers
// before said that the lock was taken, this one never came.
func TestLostReplyOfAWaiter(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, 1)
	s.Set(t, 0, "lock", "holder")
	stats := func() string {
		info, err := s.Admin[0].InfoMap(t.Context(), "commandstats").Result()
		if err != nil {
			t.Fatal(err)
		}
		return info["Commandstats"]["cmdstat_set"] // how often it was called, and more
	}
	for attempt := 0; ; attempt++ {
		l := s.Open(t, plain(), forever, fmt.Sprint(attempt))
		before := stats()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := l.Acquire(ctx, "lock")
			done <- err
		}()
		locktest.Eventually(t, "the waiter has asked", func() bool { return stats() != before })
		heal := s.Hold(0)
		s.Delete(t, 0, "lock")
		granted := false
		for asks := time.Now().Add(500 * time.Millisecond); !granted && time.Now().Before(asks); time.Sleep(time.Millisecond) {
			granted = s.Value(t, 0, "lock") != ""
		}
		cancel()
		err := <-done
		heal()
		if granted {
			if err == nil || errors.Is(err, drivers.ErrNotAcquired) {
				t.Errorf("acquire that was granted and whose reply was lost: %v, want an error that leaves it open", err)
			}
			return
		}
		// What was held is the refusal of a question asked before the delete: the waiter asked no more. Once more.
		if attempt == 50 {
			t.Fatalf("no waiter asked after the key was gone; the last one's error: %v", err)
		}
		s.Set(t, 0, "lock", "holder")
	}
}

// Whatever became of an acquire, its key expires.
func TestNothingStaysForGood(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, 1)
	const ttl = 400 * time.Millisecond
	l := s.Open(t, plain(), ttl, "")
	began := time.Now()
	locktest.Acquire(t, l, "measure")
	takes := time.Since(began)
	random := rand.New(rand.NewPCG(1, 1))
	seen := 0
	for i := range 200 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(2*takes))))
		lease, err := l.Acquire(ctx, "lock")
		cancel()
		if left := s.TTL(t, 0, "lock"); left == -1 || left > ttl {
			t.Fatalf("acquire %d (%v): the key expires in %v, want at most %v", i, err, left, ttl)
		} else if left > 0 {
			seen++
		}
		if err == nil {
			locktest.Release(t, lease)
		}
	}
	if seen == 0 {
		t.Error("no acquire set the key: the test shows nothing")
	}
}

func TestServers(t *testing.T) {
	if _, err := plain().Open(t.Context(), []string{"a:1", "b:1"}, drivers.Options{}); err == nil {
		t.Error("two servers were taken for one")
	}
}

// refusal is why the lock is not granted within the time; nil: it is.
func refusal(l drivers.Locker, within time.Duration) error {
	_, err := locktest.Try(l, "lock", within)
	return err
}
