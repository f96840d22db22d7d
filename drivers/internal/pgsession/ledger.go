package pgsession

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
)

// ledger is a namespace's ledger. It implements drivers.Ledger.
type ledger struct {
	addrs []string
	opt   drivers.Options
}

// Ledger is the namespace's ledger at a lock's one server.
func Ledger(addrs []string, opt drivers.Options) drivers.Ledger { return ledger{addrs, opt} }

const (
	itemTable   = "create table if not exists lockbench_item (lock text primary key, version bigint not null, value bigint not null)"
	ledgerTable = `create table if not exists lockbench_ledger (lock text, version bigint, base bigint not null, client text not null,
			process bigint not null, grant_number bigint not null, request bigint not null, primary key (lock, version))`
	emptyLedger = "truncate lockbench_item, lockbench_ledger" // of the namespace's schema

	endSessions = `select pg_terminate_backend(pid) from pg_stat_activity
		where application_name = $1 and backend_type = 'client backend' and pid <> pg_backend_pid()`

	readLedger = "select lock, version, base, client, process, grant_number, request from lockbench_ledger order by lock, version"
)

// Reset implements drivers.Ledger.
func (l ledger) Reset(ctx context.Context) error {
	err := connected(ctx, l.addrs, l.opt, func(conn *pgx.Conn) error {
		if err := createTables(ctx, conn, l.opt.Namespace, itemTable, ledgerTable); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, emptyLedger)
		return err
	})
	if err != nil {
		return fmt.Errorf("make the ledger: %w", err)
	}
	return nil
}

// Settle implements drivers.Ledger.
func (l ledger) Settle(ctx context.Context) (writes []drivers.Write, err error) {
	err = connected(ctx, l.addrs, l.opt, func(conn *pgx.Conn) error {
		// A session whose client is gone may still wait for a lock, or have a commit to serve.
		for {
			tag, err := conn.Exec(ctx, endSessions, Schema(l.opt.Namespace))
			if err != nil {
				return fmt.Errorf("end the sessions of the locks: %w", err)
			}
			open := tag.RowsAffected()
			if open == 0 {
				break
			}
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("%d sessions of the locks do not end: %w", open, ctx.Err())
			}
		}
		rows, err := conn.Query(ctx, readLedger)
		if err != nil {
			return err
		}
		writes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (w drivers.Write, err error) {
			err = row.Scan(&w.Lock, &w.Version, &w.Base, &w.Client, &w.Process, &w.Grant, &w.Request)
			return w, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return writes, nil
}
