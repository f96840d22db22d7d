package pgsession

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
)

// terminateSQL ends the server processes of the namespace's sessions that hold a lock. It returns their number and
// start time, because a number may soon belong to another process. Advisory locks belong to the whole database: the
// application name of a session tells whose lock it is.
const terminateSQL = `with holder as (
	select pid from pg_locks where locktype = 'advisory' and granted
	%s
)
select pid, backend_start, pg_terminate_backend(pid) from pg_stat_activity
where pid in (select pid from holder) and application_name = $1 and pid <> pg_backend_pid()`

// rowHoldersSQL finds the sessions that hold a row lock of the namespace. Only the row itself says who holds it: xmax
// is the transaction that locked it last. That transaction holds a lock on its own number until it ends. Sessions
// that wait for the row also have a transaction, and locks on the table and the row, but not on that number.
const rowHoldersSQL = `union select l.pid from ` + RowTable + ` r
	join pg_locks l on l.locktype = 'transactionid' and l.transactionid = r.xmax and l.granted`

// terminatePatience bounds the whole call, in case the server does not answer or a session does not end.
const terminatePatience = 10 * time.Second

// TerminateHolders ends the sessions of the namespace that hold an advisory lock or a row lock, waits until they are
// gone, and returns how many there were. Those that wait for a lock go on, and so do all sessions of others.
func TerminateHolders(ctx context.Context, addrs []string, opt drivers.Options) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, terminatePatience)
	defer cancel()
	err = connected(ctx, addrs, opt, func(conn *pgx.Conn) error {
		n, err = terminateHolders(ctx, conn, Schema(opt.Namespace))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("terminate the holders: %w", err)
	}
	return n, nil
}

func terminateHolders(ctx context.Context, conn *pgx.Conn, schema string) (n int, err error) {
	var rows bool
	if err := conn.QueryRow(ctx, "select to_regclass($1) is not null", RowTable).Scan(&rows); err != nil {
		return 0, fmt.Errorf("look for the table of the row locks: %w", err)
	}
	sql := fmt.Sprintf(terminateSQL, "")
	if rows {
		sql = fmt.Sprintf(terminateSQL, rowHoldersSQL)
	}
	found, err := conn.Query(ctx, sql, schema)
	if err != nil {
		return 0, err
	}
	type session struct {
		PID   int32
		Began time.Time
		Ended bool // false: it ended by itself meanwhile
	}
	holders, err := pgx.CollectRows(found, pgx.RowToStructByPos[session])
	if err != nil {
		return 0, err
	}
	for _, h := range holders {
		if h.Ended {
			n++
		}
		for alive := true; alive; {
			err := conn.QueryRow(ctx, isAlive, h.PID, h.Began).Scan(&alive)
			if err != nil {
				return 0, fmt.Errorf("wait for the end of session %d: %w", h.PID, err)
			}
			time.Sleep(time.Millisecond) // the server announces it to nobody
		}
	}
	return n, nil
}
