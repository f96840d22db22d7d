package redisredlock

import (
	"context"
	"fmt"
	"time"

	"github.com/go-redsync/redsync/v4"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/leasewatch"
	"github.com/lockbench/lockbench/drivers/internal/redisclient"
)

type lease struct {
	*leasewatch.Watch
	locker *locker
	name   string
	mutex  *redsync.Mutex // the watch's own until it has ended
}

// granted starts the watch. The lock holds for the validity that redsync computes: the TTL, less the time that the
// quorum took and an allowance for clock drift.
func (l *locker) granted(name string, mutex *redsync.Mutex) *lease {
	g := &lease{locker: l, name: name, mutex: mutex}
	var renew leasewatch.Extend
	if l.renew {
		renew = g.extend
	}
	g.Watch = leasewatch.Start(l.open, mutex.Until(), l.opt.TTL/3, renew)
	return g
}

func (g *lease) extend(ctx context.Context) (time.Time, error) {
	defer redisclient.Heed(ctx, g.locker.clients...)()
	ok, err := g.mutex.ExtendContext(ctx)
	switch {
	case ok:
		return g.mutex.Until(), nil
	case masters(err, refused) >= blocking:
		return time.Time{}, fmt.Errorf("extend %s: %w: a majority no longer has our key", g.name, drivers.ErrNotHeld)
	default:
		return time.Time{}, fmt.Errorf("extend %s: no quorum: %w", g.name, err)
	}
}

// Token implements drivers.Lease.
func (*lease) Token() (uint64, bool) { return 0, false }

// Release implements drivers.Lease. It succeeds if a quorum deleted the key. It waits for all masters, as redsync
// does. If one master is slow, the lock is free before Release returns.
func (g *lease) Release(ctx context.Context) error {
	g.Stop(ctx)
	defer redisclient.Heed(ctx, g.locker.clients...)()
	ok, err := g.mutex.UnlockContext(ctx)
	switch {
	case ok:
		return nil
	case masters(err, refusedOrExpired) >= blocking:
		return fmt.Errorf("release %s: %w: a majority no longer has our key", g.name, drivers.ErrNotHeld)
	default:
		return fmt.Errorf("release %s: no quorum: %w", g.name, err)
	}
}
