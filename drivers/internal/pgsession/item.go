package pgsession

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
)

// Each item is a row that a write updates. The server serializes the writes to one item, even if the lock lets two
// holders in. So the versions are always in the order of the commits, and show what went wrong. Rows are not read for
// update: only the lock can keep an update from being lost.
const (
	readItem = "select version, value from lockbench_item where lock = $1"

	writeItem = `with item as (
		insert into lockbench_item (lock, version, value) values ($1::text, 1, $2::bigint)
		on conflict (lock) do update set version = lockbench_item.version + 1, value = excluded.value
		returning version
	)
	insert into lockbench_ledger (lock, version, base, client, process, grant_number, request)
	select $1::text, version, $3::bigint, $4::text, $5::bigint, $6::bigint, $7::bigint from item
	returning version`
)

// Read implements drivers.Transaction.
func (l *Lease) Read(ctx context.Context, lock string) (version uint64, value int64, err error) {
	err = l.within(ctx, func(conn *pgx.Conn) error {
		err := conn.QueryRow(ctx, readItem, lock).Scan(&version, &value)
		if errors.Is(err, pgx.ErrNoRows) { // nobody has written it
			return nil
		}
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read the item of lock %q in the lock's transaction: %w", lock, err)
	}
	return version, value, nil
}

// Write implements drivers.Transaction.
func (l *Lease) Write(ctx context.Context, w drivers.Write) (version uint64, err error) {
	err = l.within(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, writeItem, w.Lock, w.Value, int64(w.Base), w.Client, w.Process, w.Grant, w.Request).Scan(&version)
	})
	if err != nil {
		return 0, fmt.Errorf("write the item of lock %q in the lock's transaction: %w", w.Lock, err)
	}
	return version, nil
}

// within runs f in the lease's transaction. A failure ends the transaction without a commit, unless nothing was sent.
func (l *Lease) within(ctx context.Context, f func(*pgx.Conn) error) error {
	if err := l.usable(); err != nil {
		return err
	}
	return l.transaction.Use(ctx, func(conn *pgx.Conn) error {
		if state := conn.PgConn().TxStatus(); state != inTransaction { // f would commit by itself
			return fmt.Errorf("the transaction that held the lock is over (state %q)", state)
		}
		err := f(conn)
		if Refused(err) {
			return l.transaction.rollBack(ctx, conn, err)
		}
		return err
	})
}
