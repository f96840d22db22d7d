package postgreslease

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/drivers/internal/pgtest"
)

var server pgtest.Server

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m, func(s pgtest.Server) { server = s })) }

// forever is longer than any test.
const forever = time.Hour

// session opens a Locker of this driver.
func session(t *testing.T, d drivers.Driver, ttl time.Duration) drivers.Locker {
	t.Helper()
	return pgtest.Bench{Server: server, Driver: d, TTL: ttl}.Open(t)
}

// at is the lock whose clients have a clock that is off by this.
func at(offset time.Duration) drivers.Driver {
	return drivers.Driver{Open: opener(func() *time.Time {
		now := time.Now().Add(offset)
		return &now
	}, false)}
}

// A client whose clock is ahead finds the lease of another expired; by the server's clock it has not.
func TestWhoseClock(t *testing.T) {
	server.Need(t)
	held := locktest.Acquire(t, session(t, at(0), forever), "whose")
	pgtest.Refused(t, session(t, Drivers()[0], forever), "whose")
	pgtest.Refused(t, session(t, at(forever-time.Minute), forever), "whose")
	ahead := locktest.Acquire(t, session(t, at(forever+time.Minute), forever), "whose")
	if locktest.Token(t, ahead) <= locktest.Token(t, held) {
		t.Errorf("token %d after %d", locktest.Token(t, ahead), locktest.Token(t, held))
	}
	locktest.NotLost(t, held) // nobody has told it
	locktest.NotHeld(t, "by the former holder", held)
	// What that client wrote is far in the future for everybody else, and the one that takes it back is behind.
	pgtest.Refused(t, session(t, at(forever), forever), "whose")
	locktest.Release(t, ahead)
	behind := locktest.Acquire(t, session(t, at(-2*forever), forever), "whose")
	locktest.Release(t, locktest.Acquire(t, session(t, Drivers()[0], forever), "whose"))
	locktest.NotHeld(t, "of a lease that was over for the server", behind)
}

// The end of its connection, and of the server, takes no lease from its holder, who can still give it back.
func TestLeaseOutlivesItsConnection(t *testing.T) {
	server.Need(t)
	for name, end := range map[string]func(testing.TB){"terminated": server.Terminate, "crashed": server.Crash} {
		held, other := session(t, Drivers()[0], forever), session(t, Drivers()[0], forever)
		mine, lost := locktest.Acquire(t, held, name), locktest.Acquire(t, other, name+" and taken")
		end(t)
		server.Exec(t, "update lockbench_lease set expires = clock_timestamp() where name = $1", name+" and taken")
		pgtest.Refused(t, session(t, Drivers()[0], forever), name)
		locktest.Release(t, mine)
		next := locktest.Acquire(t, held, name)
		if locktest.Token(t, next) != locktest.Token(t, mine)+1 {
			t.Errorf("%s: token %d after %d", name, locktest.Token(t, next), locktest.Token(t, mine))
		}
		// The first request to release it got no answer. It may have ended the lease.
		if err := locktest.TryRelease(lost); err == nil || errors.Is(err, drivers.ErrNotHeld) {
			t.Errorf("%s: release of a lease that is over, on a dead connection: %v, want an error that leaves it open", name, err)
		}
		locktest.NotHeld(t, "on a new connection", lost)
	}
}

// A lease that is renewed is lost when the row says so.
func TestRenewal(t *testing.T) {
	server.Need(t)
	held := locktest.Acquire(t, session(t, Drivers()[1], 3*time.Second), "renewed")
	expires := "select from lockbench_lease where name = 'renewed' and expires > $1"
	var first time.Time
	conn := server.Connect(t.Context(), t)
	if err := conn.QueryRow(t.Context(), "select expires from lockbench_lease where name = 'renewed'").Scan(&first); err != nil {
		t.Fatal(err)
	}
	server.Await(t, 1, expires, first)
	locktest.NotLost(t, held)
	server.Exec(t, "update lockbench_lease set owner = 'somebody else' where name = 'renewed'")
	locktest.AwaitLost(t, held)
	if err := locktest.TryRelease(held); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("release: %v, want %v", err, drivers.ErrNotHeld)
	}
}
