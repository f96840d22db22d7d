package zookeeper

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/bed"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
)

const ttl = 2 * time.Second

// ensemble is the servers, ensembleAddrs their addresses; missing is why there are none.
var (
	ensemble      *bed.Bed
	ensembleAddrs []string
	missing       error
)

func TestMain(m *testing.M) {
	os.Exit(bed.Run(m, Drivers()[0].Info, ttl, func(b *bed.Bed, err error) {
		if ensemble, missing = b, err; err == nil {
			ensembleAddrs = b.Addrs()
		}
	}))
}

// link makes links from a client to all servers.
func link(t *testing.T) *bed.Client {
	t.Helper()
	testenv.NeedServer(t, missing)
	return ensemble.Client(t, "c1")
}

// session opens a session that ends with the test, which fails if it leaves a goroutine.
func session(t *testing.T, addrs []string, seed uint64) *locker {
	t.Helper()
	testenv.NeedServer(t, missing)
	ctx, cancel := context.WithTimeout(context.Background(), locktest.Patience)
	defer cancel()
	l, err := open(ctx, addrs, drivers.Options{Credentials: ensemble.Credentials(), TTL: ttl, Rand: rand.New(rand.NewPCG(seed, 0))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSession(t, l) })
	return l
}

func closeSession(t *testing.T, l *locker) {
	t.Helper()
	began := time.Now()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second { // it would wait for the session's time-out, and more
		t.Errorf("Close took %v", took)
	}
}

// refused fails unless the lock is held by somebody else.
func refused(t *testing.T, l *locker, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := l.Acquire(ctx, name); !errors.Is(err, drivers.ErrNotAcquired) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("acquire of a lock that is held: %v, want %v and the context's error", err, drivers.ErrNotAcquired)
	}
}

// queue lists the nodes of a lock, as a server sees them after all that came before.
func queue(t *testing.T, l *locker, name string) []string {
	t.Helper()
	if _, err := l.conn.Sync(root); err != nil {
		t.Fatal(err)
	}
	children, _, err := l.conn.Children(root + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return children
}
