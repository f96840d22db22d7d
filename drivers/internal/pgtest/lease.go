package pgtest

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/bed"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

// refusal is how long an acquire asks for a lock that is held. A tenth of it is left for the server's refusal to
// arrive on a busy machine; one that comes too late proves nothing.
const refusal = 1500 * time.Millisecond

// Bench is a driver under test with its server.
type Bench struct {
	Server Server
	Driver drivers.Driver
	TTL    time.Duration
	// Namespace of the sessions.
	Namespace string
}

// Open opens a Locker past every link, which closes with the test.
func (b Bench) Open(t testing.TB) drivers.Locker {
	t.Helper()
	return b.open(t, b.Server.Addr)
}

// linked opens a Locker behind links of its own.
func (b Bench) linked(t testing.TB) (drivers.Locker, *bed.Client) {
	t.Helper()
	client := b.Server.Bed.Client(t, "linked")
	return b.open(t, client.Addrs()[0]), client
}

func (b Bench) open(t testing.TB, addr string) drivers.Locker {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), locktest.Patience)
	defer cancel()
	l, err := b.Driver.Open(ctx, []string{addr}, drivers.Options{Credentials: b.Server.Credentials, TTL: b.TTL, Namespace: b.Namespace, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Refused fails the test if l can take the lock, or cannot prove that it did not.
func Refused(t testing.TB, l drivers.Locker, name string) {
	t.Helper()
	locktest.Refused(t, l, name, refusal)
}
