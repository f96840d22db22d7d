package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/internal/pgsession"
)

// terminateSQL ends the server processes of those that hold an advisory lock, and names them: the number of a process
// alone may soon be another's.
const terminateSQL = `with holder as (
	select distinct pid from pg_locks where locktype = 'advisory' and granted and pid <> pg_backend_pid()
	%s
)
select pid, backend_start, pg_terminate_backend(pid) from holder join pg_stat_activity using (pid)`

// rowHoldersSQL finds those that hold a row lock. Only the row itself says who that is: xmax is the transaction that
// locked it last, and that transaction holds a lock on its own number until it ends. Whoever waits for the row has
// a transaction, too, and locks on the table and the row, but not that number.
const rowHoldersSQL = `union select l.pid from ` + pgsession.RowTable + ` r
	join pg_locks l on l.locktype = 'transactionid' and l.transactionid = r.xmax and l.granted`

// terminatePatience bounds the whole of it, should the server not answer or a session not end.
const terminatePatience = 10 * time.Second

// TerminateHolders ends the sessions of all who hold an advisory lock or a row lock of the driver's, waits until they
// are gone, and returns how many there were. Those that wait for a lock go on.
func (p *postgres) TerminateHolders(ctx context.Context) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, terminatePatience)
	defer cancel()
	conn, err := p.connect(ctx)
	if err != nil {
		return 0, fmt.Errorf("connect to %s: %w", p.command.Name, err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	var rows bool
	if err := conn.QueryRow(ctx, "select to_regclass($1) is not null", pgsession.RowTable).Scan(&rows); err != nil {
		return 0, fmt.Errorf("look for the table of the row locks: %w", err)
	}
	sql := fmt.Sprintf(terminateSQL, "")
	if rows {
		sql = fmt.Sprintf(terminateSQL, rowHoldersSQL)
	}
	found, err := conn.Query(ctx, sql)
	if err != nil {
		return 0, fmt.Errorf("terminate the holders: %w", err)
	}
	type session struct {
		PID    int32
		Began  time.Time
		Struck bool // false: it ended meanwhile
	}
	holders, err := pgx.CollectRows(found, pgx.RowToStructByPos[session])
	if err != nil {
		return 0, fmt.Errorf("terminate the holders: %w", err)
	}
	for _, h := range holders {
		if h.Struck {
			n++
		}
		for alive := true; alive; {
			err := conn.QueryRow(ctx, "select exists (select from pg_stat_activity where pid = $1 and backend_start = $2)",
				h.PID, h.Began).Scan(&alive)
			if err != nil {
				return 0, fmt.Errorf("wait for the end of session %d: %w", h.PID, err)
			}
			time.Sleep(time.Millisecond) // the server announces it to nobody
		}
	}
	return n, nil
}
