// Package pgtest runs tests against a real PostgreSQL server, and a connection to it that can be cut.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/pgsession"
	"github.com/lockbench/lockbench/internal/testenv"
)

// Server is a running server.
type Server struct {
	Addr string
	// Missing is why there is none.
	Missing error
}

// Run starts a server for m's tests, hands it to use, and runs them; it returns the exit code. The test program may
// also be the agent's janitor.
func Run(m *testing.M, use func(Server)) int {
	if len(os.Args) == 3 && os.Args[1] == agent.JanitorCommand {
		return report(agent.RunJanitor(os.Stdin, os.Args[2]), 0)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := (cluster.Postgres{}).Detect(ctx); err != nil {
		use(Server{Missing: err})
		return m.Run()
	}
	logs, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return report(err, 0)
	}
	host, err := agent.NewLocal()
	if err != nil {
		return report(errors.Join(err, os.RemoveAll(logs)), 0)
	}
	code := 1
	c, err := cluster.Postgres{}.Start(ctx, cluster.Spec{Name: "pgtest", Nodes: 1, Agent: host, LogDir: logs})
	if err == nil {
		use(Server{Addr: c.Nodes()[0].Addr})
		code = m.Run()
		err = c.Stop()
	}
	return report(errors.Join(err, host.Close(), os.RemoveAll(logs)), code)
}

func report(err error, code int) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Need ends the test if there is no server.
func (s Server) Need(t testing.TB) {
	t.Helper()
	testenv.NeedServer(t, s.Missing)
}

// Connect opens a plain connection.
func (s Server) Connect(ctx context.Context, t testing.TB) *pgx.Conn {
	t.Helper()
	conf, err := pgsession.Config(s.Addr)
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
	ctx, cancel := context.WithTimeout(context.Background(), patience)
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

// Crash kills a process of the server with SIGKILL. The server then ends every other, and recovers from its log, as after a
// loss of power. It returns when it serves again.
func (s Server) Crash(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
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
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got = s.Exec(t, sql, args...); got == n {
			return
		}
	}
	t.Fatalf("%s: %d rows after 20s, want %d", sql, got, n)
}

// Waiting and Sessions are queries for Await.
const (
	Waiting  = "select from pg_stat_activity where backend_type = 'client backend' and wait_event_type = 'Lock'"
	Sessions = "select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
)
