package postgresadvisory

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/pgsession"
)

// sessionLocker takes locks that the session holds.
type sessionLocker struct {
	*pgsession.Session
	opt   drivers.Options
	limit limit
	held  map[int64]int // how often each key is locked: the server counts too
}

func openSession(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
	s, err := pgsession.Open(ctx, addrs, opt, map[string]string{
		lockStatement:   "select pg_advisory_lock($1)",
		unlockStatement: "select pg_advisory_unlock($1)",
		limitStatement:  limitSQL,
	})
	if err != nil {
		return nil, err
	}
	return &sessionLocker{Session: s, opt: opt, held: map[int64]int{}}, nil
}

// Acquire implements drivers.Locker.
func (l *sessionLocker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	key := Key(l.opt.Key(name))
	err := l.Use(ctx, func(conn *pgx.Conn) error {
		err := l.lock(ctx, conn, key)
		if !pgsession.Refused(err) {
			return err
		}
		l.limit.forget()
		return l.settle(ctx, conn, key, err)
	})
	switch {
	case err == nil:
		l.held[key]++
		return &sessionLease{Grant: l.Grant(), locker: l, key: key}, nil
	case pgsession.Refused(err), errors.Is(err, pgsession.ErrUnsent):
		return nil, drivers.NotAcquired(fmt.Errorf("lock %q: %w", name, err))
	default:
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
}

// lock sets the limit of the wait, if it is needed, and waits for the lock: in one round trip.
func (l *sessionLocker) lock(ctx context.Context, conn *pgx.Conn, key int64) error {
	var batch pgx.Batch
	l.limit.queue(ctx, &batch)
	if batch.Len() == 0 { // nearly always: a batch of one costs more than its statement
		_, err := conn.Exec(ctx, lockStatement, key)
		return err
	}
	batch.Queue(lockStatement, key)
	return conn.SendBatch(ctx, &batch).Close()
}

// settle makes a refusal one that took nothing. By itself it is none: the time-out may fire when the lock has just
// been granted, and a session's lock, unlike a transaction's, stays when its statement fails.
func (l *sessionLocker) settle(ctx context.Context, conn *pgx.Conn, key int64, refusal error) error {
	if l.held[key] > 0 {
		return pgsession.NotRefused(refusal) // to unlock would give back a grant that is in use
	}
	err := pgsession.FollowUp(ctx, func(ctx context.Context) error {
		_, err := conn.Exec(ctx, unlockStatement, key)
		return err
	})
	if err != nil {
		return fmt.Errorf("make sure that nothing is locked after %v: %w", refusal, err)
	}
	return refusal
}

// sessionLease is one grant.
type sessionLease struct {
	*pgsession.Grant
	locker   *sessionLocker
	key      int64
	released bool
}

// Token implements drivers.Lease.
func (*sessionLease) Token() (uint64, bool) { return 0, false }

// Release implements drivers.Lease.
func (l *sessionLease) Release(ctx context.Context) error {
	if l.released {
		return fmt.Errorf("%w: it was released before", drivers.ErrNotHeld)
	}
	var held bool
	err := l.locker.Use(ctx, func(conn *pgx.Conn) error {
		return pgsession.NotRefused(conn.QueryRow(ctx, unlockStatement, l.key).Scan(&held))
	})
	if err != nil {
		return err
	}
	l.released = true
	l.locker.held[l.key]--
	l.Forget()
	if !held {
		return fmt.Errorf("%w: the session does not hold the lock", drivers.ErrNotHeld)
	}
	return nil
}
