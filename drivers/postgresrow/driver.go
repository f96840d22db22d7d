// Package postgresrow locks a row with SELECT … FOR UPDATE in a transaction, and has a fencing token: a counter
// beside the row.
//
// The counter must grow with every grant, whatever happens to the holder. In the holder's own transaction it would be
// rolled back with it when its session is terminated, and the next holder would be given the same number; so another
// session commits it, while the lock is held. In between the lock may be lost, and then the number is higher than
// that of the next holder's first: only a sign of life of the lock's own transaction, asked for afterwards, makes it
// a token.
package postgresrow

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/pgsession"
	"github.com/lockbench/lockbench/internal/topology"
)

// Drivers lists the lock.
func Drivers() []drivers.Driver {
	return []drivers.Driver{{
		Info: drivers.Info{
			Name: "postgres-row", Title: "Postgres row lock",
			Summary: "SELECT … FOR UPDATE of a row in a transaction that the session's leases share",
			Backend: drivers.Postgres, Topology: topology.Of(topology.Single, 1), LossBy: drivers.LossByLockbench, Scope: drivers.ScopeTransaction,
			Token: "counter in a committed transaction", Reentrant: true, LostOnDisconnect: true,
			// BEGIN with SELECT; the counter; the proof that the transaction holds. (The first acquire of a name also
			// makes its row.)
			RoundTrips: 3, Connections: 2,
		},
		Open: open, Ledger: pgsession.Ledger, TerminateHolders: pgsession.TerminateHolders,
	}}
}

const (
	lockTable  = "create table if not exists " + pgsession.RowTable + " (name text primary key)"
	tokenTable = "create table if not exists lockbench_token (name text primary key, token bigint not null)"
)

// The names of the prepared statements, and what they do.
const (
	lockStatement = "lock"
	lockSQL       = "select from " + pgsession.RowTable + " where name = $1 for update"

	// A row lock waits twice, for its turn and for the row, and lock_timeout counts each by itself.
	limitStatement = "limit"
	limitSQL       = "select set_config('statement_timeout', $1, true)"

	countStatement = "count"
	countSQL       = "update lockbench_token set token = token + 1 where name = $1 returning token"

	addLockStatement  = "add lock"
	addLockSQL        = "insert into " + pgsession.RowTable + " (name) values ($1) on conflict do nothing"
	addTokenStatement = "add token"
	addTokenSQL       = "insert into lockbench_token (name, token) values ($1, 0) on conflict do nothing"
)

// locker takes row locks.
type locker struct {
	*pgsession.Transaction
	counter *pgsession.Session
	known   map[string]bool // locks whose rows exist
}

func open(ctx context.Context, addrs []string, opt drivers.Options) (_ drivers.Locker, err error) {
	if err := pgsession.CreateTables(ctx, addrs, opt, lockTable, tokenTable); err != nil {
		return nil, err
	}
	counter, err := pgsession.Open(ctx, addrs, opt, map[string]string{
		countStatement: countSQL, addLockStatement: addLockSQL, addTokenStatement: addTokenSQL,
	})
	if err != nil {
		return nil, err
	}
	t, err := pgsession.OpenTransaction(ctx, addrs, opt, map[string]string{
		lockStatement: lockSQL, limitStatement: limitSQL,
	})
	if err != nil {
		return nil, errors.Join(err, counter.Close())
	}
	return &locker{Transaction: t, counter: counter, known: map[string]bool{}}, nil
}

// Acquire implements drivers.Locker.
func (l *locker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	if err := l.addRows(ctx, name); err != nil {
		return nil, fmt.Errorf("make the row of lock %q: %w", name, err)
	}
	if err := l.lockRow(ctx, name); err != nil {
		return nil, fmt.Errorf("lock the row of %q: %w", name, err)
	}
	// From here on the row is locked: whatever fails ends the session, which frees it.
	token, err := l.count(ctx, name)
	if err == nil {
		err = l.Prove(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("draw the token of lock %q: %w", name, err), l.Close())
	}
	return lease{l.Lease(), token}, nil
}

// addRows makes the rows of a lock that is asked for for the first time. Nothing is locked yet.
func (l *locker) addRows(ctx context.Context, name string) error {
	if l.known[name] {
		return nil
	}
	err := l.counter.Use(ctx, func(conn *pgx.Conn) error {
		var batch pgx.Batch
		batch.Queue(addLockStatement, name)
		batch.Queue(addTokenStatement, name)
		return conn.SendBatch(ctx, &batch).Close()
	})
	if pgsession.Refused(err) || errors.Is(err, pgsession.ErrUnsent) {
		return drivers.NotAcquired(err)
	}
	l.known[name] = err == nil
	return err
}

func (l *locker) lockRow(ctx context.Context, name string) error {
	limit := pgsession.WaitLimit(ctx)
	return l.Lock(ctx, func(batch *pgx.Batch) {
		if limit > 0 {
			batch.Queue(limitStatement, strconv.FormatInt(limit.Milliseconds(), 10))
		}
		batch.Queue(lockStatement, name).Exec(func(tag pgconn.CommandTag) error {
			if n := tag.RowsAffected(); n != 1 {
				return fmt.Errorf("%d rows locked instead of one: somebody removes rows of lockbench_lock", n)
			}
			return nil
		})
		if limit > 0 {
			batch.Queue(limitStatement, "0")
		}
	})
}

// count draws the next number of the lock's counter.
func (l *locker) count(ctx context.Context, name string) (uint64, error) {
	var token int64
	err := l.counter.Use(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, countStatement, name).Scan(&token)
	})
	return uint64(token), err
}

// Close implements drivers.Locker.
func (l *locker) Close() error {
	closed := make(chan error, 1)
	go func() { closed <- l.counter.Close() }() // each may wait for a server that does not answer
	return errors.Join(l.Transaction.Close(), <-closed)
}

// lease is one grant.
type lease struct {
	*pgsession.Lease
	token uint64
}

// Token implements drivers.Lease.
func (l lease) Token() (uint64, bool) { return l.token, true }
