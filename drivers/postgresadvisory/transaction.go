package postgresadvisory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/pgsession"
)

// transactionLocker takes locks that a transaction holds, which all its leases share.
type transactionLocker struct {
	*pgsession.Transaction
	opt   drivers.Options
	limit limit
}

func openTransaction(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
	t, err := pgsession.OpenTransaction(ctx, addrs, opt, map[string]string{
		lockStatement:  "select pg_advisory_xact_lock($1)",
		limitStatement: limitSQL,
	})
	if err != nil {
		return nil, err
	}
	return &transactionLocker{Transaction: t, opt: opt}, nil
}

// Acquire implements drivers.Locker.
func (l *transactionLocker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	err := l.Lock(ctx, func(batch *pgx.Batch) {
		l.limit.queue(ctx, batch)
		batch.Queue(lockStatement, Key(l.opt.Key(name)))
	})
	if err != nil {
		l.limit.forget()
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	return transactionLease{l.Lease()}, nil
}

// transactionLease is one grant.
type transactionLease struct{ *pgsession.Lease }

// Token implements drivers.Lease.
func (transactionLease) Token() (uint64, bool) { return 0, false }
