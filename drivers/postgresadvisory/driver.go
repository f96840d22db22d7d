// Package postgresadvisory locks with PostgreSQL's advisory locks: pg_advisory_lock on a connection of its own, and
// the variant that lives in a transaction
// (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). Neither has a fencing token.
package postgresadvisory

import (
	"context"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/pgsession"
	"github.com/lockbench/lockbench/internal/topology"
)

// Drivers lists the lock and its variant.
func Drivers() []drivers.Driver {
	return []drivers.Driver{
		{
			Info: drivers.Info{
				Name: "postgres-advisory", Title: "Postgres advisory",
				Summary: "pg_advisory_lock, held by the session",
				Backend: drivers.Postgres, Topology: topology.Of(topology.Single, 1), LossBy: drivers.LossByLockbench, Scope: drivers.ScopeSession,
				Reentrant: true, LostOnDisconnect: true, RoundTrips: 1,
			},
			Open: openSession, TerminateHolders: pgsession.TerminateHolders,
		},
		{
			Info: drivers.Info{
				Name: "postgres-advisory+xact", Title: "Postgres advisory (xact)",
				Summary: "pg_advisory_xact_lock, held by a transaction that the session's leases share",
				Backend: drivers.Postgres, Topology: topology.Of(topology.Single, 1), LossBy: drivers.LossByLockbench, Scope: drivers.ScopeTransaction,
				Reentrant: true, LostOnDisconnect: true, RoundTrips: 1,
			},
			Open: openTransaction, Ledger: pgsession.Ledger, TerminateHolders: pgsession.TerminateHolders,
		},
	}
}

// The names of the prepared statements.
const (
	lockStatement   = "lock"
	unlockStatement = "unlock"
	limitStatement  = "limit"
)

// limitSQL bounds how long every later statement of the session waits for a lock.
const limitSQL = "select set_config('lock_timeout', $1, false)"

// Key is the number under which the lock of that name is taken: the FNV-1a hash, the same in every process. Two names
// that share a number exclude each other, which is safe.
func Key(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return int64(h.Sum64())
}

// limit is the session's lock_timeout, as far as it is known. It is set along with a lock, and only if it does not
// suit: a run's acquires all have the same time, and the plain lock is what is measured.
type limit struct {
	known bool
	value time.Duration
}

// queue adds the statement that sets the limit to the batch, if it is needed.
func (l *limit) queue(ctx context.Context, batch *pgx.Batch) {
	want := pgsession.WaitLimit(ctx)
	if l.known && (l.value == want || l.value > 0 && l.value < want && l.value > want*3/4) {
		return
	}
	value := want - want/20 // so that the next acquire, whose context is shorter by a hair, can keep it
	if want > 0 {
		value = max(value.Truncate(time.Millisecond), time.Millisecond)
	}
	l.known, l.value = true, value
	batch.Queue(limitStatement, strconv.FormatInt(value.Milliseconds(), 10))
}

// forget says that a refused request has undone the setting, or may have.
func (l *limit) forget() { l.known = false }
