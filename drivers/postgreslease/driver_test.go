package postgreslease

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/pgsession/pgtest"
)

var server pgtest.Server

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m, func(s pgtest.Server) { server = s })) }

// forever is longer than any test.
const forever = time.Hour

// session opens a Locker of this driver.
func session(t *testing.T, d drivers.Driver, ttl time.Duration) drivers.Locker {
	t.Helper()
	return pgtest.Bench{Server: server, Driver: d, TTL: ttl}.Open(t, server.Addr)
}

// at is the lock whose clients have a clock that is off by this.
func at(offset time.Duration) drivers.Driver {
	return drivers.Driver{Open: opener(func() *time.Time {
		now := time.Now().Add(offset)
		return &now
	}, false)}
}

func release(l drivers.Lease) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return l.Release(ctx)
}

func token(t *testing.T, l drivers.Lease) uint64 {
	t.Helper()
	n, ok := l.Token()
	if !ok {
		t.Fatal("no token")
	}
	return n
}

// A client whose clock is ahead finds the lease of another expired; by the server's clock it has not.
func TestWhoseClock(t *testing.T) {
	server.Need(t)
	held := pgtest.Acquire(t, session(t, at(0), forever), "whose")
	pgtest.Refused(t, session(t, Drivers()[0], forever), "whose")
	pgtest.Refused(t, session(t, at(forever-time.Minute), forever), "whose")
	ahead := pgtest.Acquire(t, session(t, at(forever+time.Minute), forever), "whose")
	if token(t, ahead) <= token(t, held) {
		t.Errorf("token %d after %d", token(t, ahead), token(t, held))
	}
	pgtest.NotLost(t, held) // nobody has told it
	if err := release(held); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("release by the former holder: %v, want %v", err, drivers.ErrNotHeld)
	}
	// What that client wrote is far in the future for everybody else, and the one that takes it back is behind.
	pgtest.Refused(t, session(t, at(forever), forever), "whose")
	pgtest.Release(t, ahead)
	behind := pgtest.Acquire(t, session(t, at(-2*forever), forever), "whose")
	pgtest.Release(t, pgtest.Acquire(t, session(t, Drivers()[0], forever), "whose"))
	if err := release(behind); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("release of a lease that was over for the server: %v, want %v", err, drivers.ErrNotHeld)
	}
}

// The end of its session, and of the server, takes no lease from its holder, who cannot say then that it released it.
func TestLeaseOutlivesItsSession(t *testing.T) {
	server.Need(t)
	for name, end := range map[string]func(testing.TB){"terminated": server.Terminate, "crashed": server.Crash} {
		held := pgtest.Acquire(t, session(t, Drivers()[0], forever), name)
		end(t)
		pgtest.Refused(t, session(t, Drivers()[0], forever), name)
		if err := release(held); err == nil || errors.Is(err, drivers.ErrNotHeld) {
			t.Errorf("%s: release in a session that is over: %v, want an error that leaves it open", name, err)
		}
		server.Exec(t, "update lockbench_lease set expires = clock_timestamp() where name = $1", name)
		next := pgtest.Acquire(t, session(t, Drivers()[0], forever), name)
		if token(t, next) != token(t, held)+1 {
			t.Errorf("%s: token %d after %d", name, token(t, next), token(t, held))
		}
	}
}

// A lease that is renewed is lost when the row says so.
func TestRenewal(t *testing.T) {
	server.Need(t)
	held := pgtest.Acquire(t, session(t, Drivers()[1], 3*time.Second), "renewed")
	expires := "select from lockbench_lease where name = 'renewed' and expires > $1"
	var first time.Time
	conn := server.Connect(t.Context(), t)
	if err := conn.QueryRow(t.Context(), "select expires from lockbench_lease where name = 'renewed'").Scan(&first); err != nil {
		t.Fatal(err)
	}
	server.Await(t, 1, expires, first)
	pgtest.NotLost(t, held)
	server.Exec(t, "update lockbench_lease set owner = 'somebody else' where name = 'renewed'")
	pgtest.AwaitLost(t, held)
	if err := release(held); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("release: %v, want %v", err, drivers.ErrNotHeld)
	}
}
