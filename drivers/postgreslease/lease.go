package postgreslease

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/leasewatch"
	"github.com/lockbench/lockbench/internal/pgsession"
)

type lease struct {
	*leasewatch.Watch
	locker      *locker
	name, owner string
	token       uint64
}

// granted starts the watch over a lease that was asked for at that time. Whichever wall clock decides when it ends, the
// holder counts the TTL by its monotonic clock, and from before the question was sent.
func (l *locker) granted(name, owner string, token uint64, sent time.Time) *lease {
	g := &lease{locker: l, name: name, owner: owner, token: token}
	var renew leasewatch.Extend
	if l.renew {
		renew = g.extend
	}
	g.Watch = leasewatch.Start(l.open, sent.Add(l.ttl), l.ttl/3, renew)
	return g
}

// extend lets an extension under way come to its end when the lease is released meanwhile: a request that is broken off ends
// the session, and with it the release.
func (g *lease) extend(ctx context.Context) (time.Time, error) {
	if deadline, ok := ctx.Deadline(); ok {
		whole, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
		defer cancel()
		ctx = whole
	}
	sent := time.Now()
	return sent.Add(g.locker.ttl), g.update(ctx, extendStatement, g.name, g.owner, g.locker.now(), g.locker.ttl.Microseconds(), int64(g.token))
}

// Token implements drivers.Lease.
func (g *lease) Token() (uint64, bool) { return g.token, true }

// Release implements drivers.Lease.
func (g *lease) Release(ctx context.Context) error {
	g.Stop() // an extension under way must not follow the release
	return g.update(ctx, releaseStatement, g.name, g.owner, g.locker.now(), int64(g.token))
}

// update changes the lock's row if it is still this grant's. Only the row tells: the end of a session ends no lease.
func (g *lease) update(ctx context.Context, statement string, args ...any) error {
	var rows int64
	err := g.locker.session.Use(ctx, func(conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, statement, args...)
		rows = tag.RowsAffected()
		return pgsession.NotRefused(err)
	})
	if err != nil {
		return fmt.Errorf("%s the lease %q: %v", statement, g.name, err) // not wrapped, on purpose: it may say that nothing is held
	}
	if rows == 0 {
		return fmt.Errorf("%s the lease %q: %w: it expired or has another owner", statement, g.name, drivers.ErrNotHeld)
	}
	return nil
}
