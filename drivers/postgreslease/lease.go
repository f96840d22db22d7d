package postgreslease

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/leasewatch"
	"github.com/lockbench/lockbench/drivers/internal/pgsession"
)

type lease struct {
	*leasewatch.Watch
	locker      *locker
	name, owner string
	token       uint64
}

// granted starts the watch over a lease that was asked for at that time. Whichever wall clock decides when it ends,
// the holder counts the TTL by its monotonic clock, and from before the question was sent.
func (l *locker) granted(name, owner string, token uint64, sent time.Time) *lease {
	g := &lease{locker: l, name: name, owner: owner, token: token}
	var renew leasewatch.Extend
	if l.renew {
		renew = g.extend
	}
	g.Watch = leasewatch.Start(l.open, leasewatch.End(sent, l.ttl), l.ttl/3, renew)
	return g
}

// extend lets an extension under way come to its end when the lease is released meanwhile: a request that is broken
// off ends the connection, and the release would have to make another.
func (g *lease) extend(ctx context.Context) (time.Time, error) {
	if deadline, ok := ctx.Deadline(); ok {
		whole, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
		defer cancel()
		ctx = whole
	}
	sent := time.Now()
	err := g.update(ctx, extendSQL, g.name, g.owner, g.locker.now(), g.locker.ttl.Microseconds(), int64(g.token))
	if err != nil {
		return time.Time{}, fmt.Errorf("extend the lease %q: %w", g.name, err)
	}
	return leasewatch.End(sent, g.locker.ttl), nil
}

// Token implements drivers.Lease.
func (g *lease) Token() (uint64, bool) { return g.token, true }

// Release implements drivers.Lease. If the connection is broken it asks once more, on another. If the row is no longer
// this grant's then, the first request may have been served.
func (g *lease) Release(ctx context.Context) error {
	g.Stop(ctx)
	release := func() error {
		return g.update(ctx, releaseSQL, g.name, g.owner, g.locker.now(), int64(g.token))
	}
	err := release()
	if first := err; errors.Is(first, pgsession.ErrBroken) && ctx.Err() == nil {
		if err = release(); errors.Is(err, drivers.ErrNotHeld) {
			err = fmt.Errorf("it is over, but perhaps by this release, which got no answer at first: %w", first)
		}
	}
	if err != nil {
		return fmt.Errorf("release the lease %q: %w", g.name, err)
	}
	return nil
}

// update changes the lock's row if it is still this grant's. Only the row tells: the end of a connection ends no lease.
func (g *lease) update(ctx context.Context, sql string, args ...any) error {
	var rows int64
	err := g.locker.client.Use(ctx, func(conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, sql, args...)
		rows = tag.RowsAffected()
		return err
	})
	if err == nil && rows == 0 {
		err = fmt.Errorf("%w: it expired or has another owner", drivers.ErrNotHeld)
	}
	return err
}
