package conformance

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

const (
	// resetTries is how often a machine may be too busy to renew a lease.
	resetTries = 3
	// stall is how late a timer must have been to say so.
	stall = TTL / 10
)

// reset: a lease outlives the connections of its holder, and is renewed over others. Where it does not, the holder
// learns it.
func (b *bench) reset(t *testing.T) {
	for try := 1; ; try++ {
		worst := lateness(t)
		err := b.outlivesReset(t, try)
		switch {
		case err == nil:
			return
		case worst() < stall:
			t.Fatal(err)
		case try == resetTries:
			t.Skipf("SKIPPED, NOT PROVEN: this machine is too busy: a timer was late by %v, and %v", worst(), err)
		}
	}
}

func (b *bench) outlivesReset(t *testing.T, try int) error {
	info := b.driver.Info
	ttl, hold := TTL, 2*TTL
	if info.Lease && !info.Renewed {
		ttl, hold = ample, busy
	}
	one, two := b.openFor(t, fmt.Sprint("one ", try), ttl), b.openFor(t, fmt.Sprint("two ", try), long)
	lock := fmt.Sprint("reset ", try)
	a := one.must(lock)
	one.reset()
	if info.LostOnDisconnect {
		locktest.AwaitLost(t, a)
	}
	if info.Lease {
		for began := time.Now(); time.Since(began) < hold; {
			_, err := locktest.Try(two, lock, busy)
			if err == nil {
				return fmt.Errorf("a rival was granted the lock %v after the holder's connections were reset", time.Since(began))
			}
			if !errors.Is(err, drivers.ErrNotAcquired) {
				two.reopen()
			}
		}
	}
	if !info.LostOnDisconnect {
		select {
		case <-a.Lost():
			return errors.New("the lock was lost with the holder's connections")
		default:
		}
		locktest.Release(t, a)
	}
	_ = one.Close() // the connection may be gone
	locktest.Release(t, two.must(lock))
	return nil
}
