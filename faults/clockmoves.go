package faults

import (
	"context"
	"errors"
	"time"

	"github.com/lockbench/lockbench/faults/processes"
)

// needClocks says why the clocks of the target cannot be moved.
func needClocks(c Cluster, in Injection) error {
	if err := reachable(c, in.Target, "clock"); err != nil {
		return err
	}
	return c.Clocks()
}

// vary calls step about every interval, with the time since the first call, until it is healed; its error, too,
// comes with the heal.
func vary(
	ctx context.Context, s *processes.Skew, interval time.Duration, step func(elapsed time.Duration) time.Duration,
) (heal func(context.Context) error) {
	// It lasts until the heal, and not only as long as the call that begins it.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		var err error
		for err == nil && sleep(ctx, interval) {
			err = s.Set(step(time.Since(began)))
		}
		done <- err
		close(done)
	}()
	return func(ctx context.Context) error {
		cancel()
		return errors.Join(<-done, s.Heal(ctx))
	}
}
