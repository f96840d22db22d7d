package postgresadvisory

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/drivers/internal/pgtest"
)

// A session's lock that is granted just as its time-out fires stays locked, although the server reports an error. The
// test hunts for that moment: it gives the lock back earlier after a refusal, and later after a grant.
func TestRefusedAsItIsGranted(t *testing.T) {
	server.Need(t)
	const wait, finest, rounds = 5 * time.Millisecond, 10 * time.Microsecond, 300
	bench := pgtest.Bench{Server: server, Driver: Drivers()[0], TTL: 10 * time.Second}
	holder, rival := bench.Open(t), bench.Open(t)
	delay, step := wait, -wait/4
	granted, refused := 0, 0
	turn := func(direction time.Duration) { // finer with every change of direction
		if direction*step < 0 {
			step = -step / 2
			if step.Abs() < finest {
				step = direction * finest
			}
		}
		delay = max(delay+step, 0)
	}
	for range rounds {
		lease := locktest.Acquire(t, holder, "race")
		released := make(chan error, 1)
		time.AfterFunc(delay, func() { released <- lease.Release(context.Background()) })
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		got, err := rival.Acquire(ctx, "race")
		cancel()
		if err := <-released; err != nil {
			t.Fatal(err)
		}
		switch {
		case err == nil:
			granted++
			turn(1)
			locktest.Release(t, got)
		case errors.Is(err, drivers.ErrNotAcquired):
			refused++
			turn(-1)
			locktest.Release(t, locktest.Acquire(t, holder, "race"))
		default: // the context ended first, on a busy machine
			turn(-1)
			if err := rival.Close(); err != nil {
				t.Error(err)
			}
			rival = bench.Open(t)
		}
	}
	t.Logf("%d granted, %d refused", granted, refused)
}
