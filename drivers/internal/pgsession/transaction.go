package pgsession

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
)

// The states of a connection, as the server ends every answer with.
const (
	idle          = 'I'
	inTransaction = 'T'
)

// Transaction is a session whose grants share one transaction. It begins with the first grant and ends with the last.
// PostgreSQL frees a lock only at the end of the transaction that took it. So releasing one grant of several frees
// nothing: its lock stays taken until the last grant is released. A refused request ends the whole transaction, with
// every lock in it.
type Transaction struct {
	*Session
	number int // of the current transaction, or the next one if none is open
	leases int // that hold in it
}

// OpenTransaction opens a session as Open does. No transaction is open yet.
func OpenTransaction(ctx context.Context, addrs []string, opt drivers.Options, statements map[string]string) (*Transaction, error) {
	all := maps.Clone(statements)
	for _, sql := range []string{"begin", "commit", "rollback"} {
		all[sql] = sql
	}
	s, err := Open(ctx, addrs, opt, all)
	if err != nil {
		return nil, err
	}
	return &Transaction{Session: s}, nil
}

// Lock runs the statements that queue adds to the batch, all in one round trip. It begins the transaction if there is
// none. An error that Is drivers.ErrNotAcquired proves that they took nothing. The transaction is then over, with
// every lease in it, unless nothing was sent.
func (t *Transaction) Lock(ctx context.Context, queue func(*pgx.Batch)) error {
	err := t.Use(ctx, func(conn *pgx.Conn) error {
		var batch pgx.Batch
		if conn.PgConn().TxStatus() == idle {
			batch.Queue("begin")
		}
		queue(&batch)
		err := conn.SendBatch(ctx, &batch).Close()
		if Refused(err) {
			return t.rollBack(ctx, conn, err)
		}
		return err
	})
	if Refused(err) || errors.Is(err, ErrUnsent) {
		return drivers.NotAcquired(err)
	}
	return err
}

// rollBack ends the transaction of which the server refused a request, and returns the refusal.
func (t *Transaction) rollBack(ctx context.Context, conn *pgx.Conn, refusal error) error {
	// The server has freed the transaction's locks as it refused.
	t.LoseAll()
	t.finish()
	err := FollowUp(ctx, func(ctx context.Context) error {
		_, err := conn.Exec(ctx, "rollback")
		return err
	})
	if err != nil {
		return fmt.Errorf("roll back after %v: %w", refusal, err)
	}
	return refusal
}

// Prove asks the server whether the transaction still holds, and so every lock in it. If not, the session is over.
func (t *Transaction) Prove(ctx context.Context) error {
	return t.Use(ctx, func(conn *pgx.Conn) error { return prove(ctx, conn) })
}

func prove(ctx context.Context, conn *pgx.Conn) error {
	if err := conn.Ping(ctx); err != nil {
		return NotRefused(err)
	}
	if state := conn.PgConn().TxStatus(); state != inTransaction {
		return fmt.Errorf("the transaction that held the lock is over (state %q)", state)
	}
	return nil
}

// finish says that the current transaction has ended.
func (t *Transaction) finish() {
	t.number++
	t.leases = 0
}

// Lease is a lease that lives in the transaction.
type Lease struct {
	*Grant
	transaction *Transaction
	number      int // of the transaction
	released    bool
}

// Lease makes the lease of a lock that was just taken in the transaction.
func (t *Transaction) Lease() *Lease {
	t.leases++
	return &Lease{Grant: t.Grant(), transaction: t, number: t.number}
}

// usable says why the lease can be used no more.
func (l *Lease) usable() error {
	switch {
	case l.released:
		return fmt.Errorf("%w: it was released before", drivers.ErrNotHeld)
	case l.number != l.transaction.number:
		return fmt.Errorf("%w: its transaction is over", drivers.ErrNotHeld)
	}
	return nil
}

// Release implements drivers.Lease. It commits if this is the transaction's last lease. Otherwise it asks whether the
// transaction still holds.
func (l *Lease) Release(ctx context.Context) error {
	if err := l.usable(); err != nil {
		return err
	}
	t, held := l.transaction, true
	err := t.Use(ctx, func(conn *pgx.Conn) error {
		if t.leases > 1 {
			return prove(ctx, conn)
		}
		tag, err := conn.Exec(ctx, "commit")
		held = tag.String() != "ROLLBACK" // what a failed transaction answers to COMMIT
		return NotRefused(err)
	})
	if err != nil {
		return err
	}
	l.released = true
	l.Forget()
	if t.leases--; t.leases == 0 {
		t.finish()
	}
	if !held {
		return fmt.Errorf("%w: its transaction had failed", drivers.ErrNotHeld)
	}
	return nil
}
