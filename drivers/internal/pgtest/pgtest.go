// Package pgtest runs tests against a real PostgreSQL server, and looks into it past the links of the sessions under
// test.
package pgtest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/bed"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/drivers/internal/pgsession"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
	"github.com/lockbench/lockbench/internal/topology"
)

// Server is a running server.
type Server struct {
	Bed         *bed.Bed
	Addr        string
	Credentials drivers.Credentials
	// Missing is why there is none.
	Missing error
}

// Run starts a server for m's tests, hands it to use, and runs them; it returns the exit code.
func Run(m *testing.M, use func(Server)) int {
	return bed.Run(m, drivers.Info{Name: "pgtest", Backend: drivers.Postgres, Topology: topology.Of(topology.Single, 1)}, 0, func(b *bed.Bed, missing error) {
		s := Server{Bed: b, Missing: missing}
		if missing == nil {
			s.Addr, s.Credentials = b.Addrs()[0], b.Credentials()
		}
		use(s)
	})
}

// Need ends the test if there is no server.
func (s Server) Need(t testing.TB) {
	t.Helper()
	testenv.NeedServer(t, s.Missing)
}

// Options are those of the namespace's sessions.
func (s Server) Options(namespace string) drivers.Options {
	return drivers.Options{Credentials: s.Credentials, Namespace: namespace}
}

// Connect opens a plain connection.
func (s Server) Connect(ctx context.Context, t testing.TB) *pgx.Conn {
	t.Helper()
	conf, err := pgsession.Config(s.Addr, s.Options(""))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// Exec runs a statement in a session of its own and returns the number of rows.
func (s Server) Exec(t testing.TB, sql string, args ...any) int64 {
	t.Helper()
	s.Need(t)
	ctx, cancel := context.WithTimeout(context.Background(), locktest.Patience)
	defer cancel()
	conn := s.Connect(ctx, t)
	defer conn.Close(ctx)
	tag, err := conn.Exec(ctx, sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	return tag.RowsAffected()
}

// Terminate ends every session with the server but its own, as an administrator or a failover does.
func (s Server) Terminate(t testing.TB) {
	t.Helper()
	if s.Exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()") == 0 {
		t.Error("there was no session to terminate")
	}
}

// Crash kills a process of the server with SIGKILL. The server then ends every other, and recovers from its log, as
// after a loss of power. It returns when it serves again.
func (s Server) Crash(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), locktest.Patience)
	defer cancel()
	victim, other := s.Connect(ctx, t), s.Connect(ctx, t)
	process, err := os.FindProcess(int(victim.PgConn().PID()))
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	for err == nil { // until the server has noticed, and ends the others
		_, err = other.Exec(ctx, "select pg_sleep(0.001)")
	}
	_ = victim.Close(ctx) // broken, of course
	conf := other.Config()
	for ; ; time.Sleep(5 * time.Millisecond) {
		conn, err := pgx.ConnectConfig(ctx, conf)
		if err == nil {
			conn.Close(ctx)
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the server does not recover: %v", err)
		}
	}
}

// Await polls until the query returns n rows: the server announces to nobody that a session waits, or has gone.
func (s Server) Await(t testing.TB, n int64, sql string, args ...any) {
	t.Helper()
	var got int64
	for deadline := time.Now().Add(locktest.Patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got = s.Exec(t, sql, args...); got == n {
			return
		}
	}
	t.Fatalf("%s: %d rows in the end, want %d", sql, got, n)
}

// Waiting and Sessions are queries for Await.
const (
	Waiting  = "select from pg_stat_activity where backend_type = 'client backend' and wait_event_type = 'Lock'"
	Sessions = "select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
)
