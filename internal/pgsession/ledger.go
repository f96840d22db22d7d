package pgsession

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
)

// ledger is the ledger of the server at an address. It implements drivers.Ledger.
type ledger struct{ addrs []string }

// Ledger is the ledger of a lock's one server.
func Ledger(addrs []string) drivers.Ledger { return ledger{addrs} }

const (
	ledgerTables = `
		create table if not exists lockbench_item (lock text primary key, version bigint not null, value bigint not null);
		create table if not exists lockbench_ledger (lock text, version bigint, base bigint not null, client text not null,
			process bigint not null, grant_number bigint not null, request bigint not null, primary key (lock, version));
		truncate lockbench_item, lockbench_ledger`

	endSessions = `select pg_terminate_backend(pid) from pg_stat_activity
		where application_name = 'lockbench' and backend_type = 'client backend' and pid <> pg_backend_pid()`

	readLedger = "select lock, version, base, client, process, grant_number, request from lockbench_ledger order by lock, version"
)

// Reset implements drivers.Ledger.
func (l ledger) Reset(ctx context.Context) error {
	err := l.connected(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, ledgerTables)
		return err
	})
	if err != nil {
		return fmt.Errorf("make the ledger: %w", err)
	}
	return nil
}

// Settle implements drivers.Ledger.
func (l ledger) Settle(ctx context.Context) (writes []drivers.Write, err error) {
	err = l.connected(ctx, func(conn *pgx.Conn) error {
		// A session whose client is gone may still wait for a lock, or have a commit to serve.
		for {
			tag, err := conn.Exec(ctx, endSessions)
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

// connected runs f on a connection of its own.
func (l ledger) connected(ctx context.Context, f func(*pgx.Conn) error) (err error) {
	if len(l.addrs) != 1 {
		return fmt.Errorf("%d servers given, there is one", len(l.addrs))
	}
	conf, err := Config(l.addrs[0])
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return fmt.Errorf("open a session with PostgreSQL at %s: %w", l.addrs[0], err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return f(conn)
}
