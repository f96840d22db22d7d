package postgresrow

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/drivers/internal/pgsession"
	"github.com/lockbench/lockbench/drivers/internal/pgtest"
)

var server pgtest.Server

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m, func(s pgtest.Server) { server = s })) }

func bench() pgtest.Bench {
	return pgtest.Bench{Server: server, Driver: Drivers()[0], TTL: 2 * time.Second}
}

func TestLock(t *testing.T) { bench().Suite(t) }

// grown acquires the lock in a new session and returns a token that must be above the last one.
func grown(t *testing.T, last uint64) (drivers.Locker, uint64) {
	t.Helper()
	l := bench().Open(t)
	token, ok := locktest.Acquire(t, l, "token").Token()
	if !ok || token <= last {
		t.Fatalf("token %d (%v) after %d", token, ok, last)
	}
	return l, token
}

func TestTokenGrowsWhateverEndsTheHolder(t *testing.T) {
	server.Need(t)
	var token uint64
	for range 3 {
		_, token = grown(t, token)
		server.Terminate(t)
	}
	for range 3 {
		var l drivers.Locker
		l, token = grown(t, token)
		if err := l.Close(); err != nil { // without a release
			t.Fatal(err)
		}
	}
	for range 2 {
		_, token = grown(t, token)
		server.Crash(t)
	}
	grown(t, token)
}

// A lock that is lost while its token is drawn is not granted: the token would be above the next holder's.
func TestLostBeforeTheTokenIsNotGranted(t *testing.T) {
	server.Need(t)
	l := bench().Open(t)
	locktest.Release(t, locktest.Acquire(t, l, "late"))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	obstacle := server.Connect(ctx, t)
	defer obstacle.Close(ctx)
	if _, err := obstacle.Exec(ctx, "begin; select from lockbench_token where name = 'late' for update"); err != nil {
		t.Fatal(err)
	}
	type result struct {
		lease drivers.Lease
		err   error
	}
	done := make(chan result, 1)
	go func() {
		lease, err := l.Acquire(ctx, "late")
		done <- result{lease, err}
	}()
	server.Await(t, 1, pgtest.Waiting) // the row is locked, the token waits
	const holder = " from pg_stat_activity where state = 'idle in transaction' and pid <> $1"
	if n := server.Exec(t, "select pg_terminate_backend(pid)"+holder, obstacle.PgConn().PID()); n != 1 {
		t.Fatalf("%d transactions terminated, want that of the lock", n)
	}
	server.Await(t, 0, "select"+holder, obstacle.PgConn().PID())
	if _, err := obstacle.Exec(ctx, "commit"); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err == nil {
		token, _ := got.lease.Token()
		t.Fatalf("granted with token %d", token)
	}
	if errors.Is(got.err, drivers.ErrNotAcquired) {
		t.Errorf("%v: a session that is over must not look as if it could go on", got.err)
	}
	locktest.Release(t, locktest.Acquire(t, bench().Open(t), "late"))
}

func TestTablesAreMadeOnce(t *testing.T) {
	server.Need(t)
	for range 5 {
		server.Exec(t, "drop table if exists lockbench_lock, lockbench_token")
		const n = 8
		errs := make(chan error, n)
		for range n {
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				errs <- pgsession.CreateTables(ctx, []string{server.Addr}, server.Options(""), lockTable, tokenTable)
			}()
		}
		for range n {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	}
}

// A row that was removed behind the driver's back locks nothing, and must not be taken for a grant.
func TestNoRowNoGrant(t *testing.T) {
	server.Need(t)
	l := bench().Open(t)
	locktest.Release(t, locktest.Acquire(t, l, "gone"))
	server.Exec(t, "delete from lockbench_lock where name = 'gone'")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if lease, err := l.Acquire(ctx, "gone"); err == nil {
		t.Errorf("granted %v without a row", lease)
	}
}
