package postgresadvisory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/pgsession"
)

// transactionLocker takes locks that a transaction holds, which all its leases share.
type transactionLocker struct {
	*pgsession.Transaction
	limit limit
}

func openTransaction(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
	addr, err := single(addrs)
	if err != nil {
		return nil, err
	}
	t, err := pgsession.OpenTransaction(ctx, addr, opt.TTL, map[string]string{
		lockStatement:  "select pg_advisory_xact_lock($1)",
		limitStatement: limitSQL,
	})
	if err != nil {
		return nil, err
	}
	return &transactionLocker{Transaction: t}, nil
}

// Acquire implements drivers.Locker.
func (l *transactionLocker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	err := l.Lock(ctx, func(batch *pgx.Batch) {
		l.limit.queue(ctx, batch)
		batch.Queue(lockStatement, Key(name))
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
