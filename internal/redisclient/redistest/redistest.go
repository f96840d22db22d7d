// Package redistest runs tests against real Redis servers, and looks into them past every link.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/redisclient"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/internal/testenv"
)

// Patience bounds whatever must happen in the end.
const Patience = 20 * time.Second

// Client is whom the links belong to.
const Client = "client"

// Servers are running masters, each behind a link of the client's.
type Servers struct {
	Nodes []cluster.Node
	// Admin looks into node i, past its link.
	Admin []*redisclient.Client
	Links *faults.Links
	// Addrs are the links.
	Addrs []string
}

// Start starts n masters for the test.
func Start(t *testing.T, n int) *Servers {
	t.Helper()
	_, err := cluster.Redis{}.Detect(t.Context())
	testenv.NeedServer(t, err)
	host, err := agent.NewLocal()
	if err != nil {
		t.Fatal(err)
	}
	s := &Servers{Links: faults.NewLinks()}
	t.Cleanup(func() {
		for _, a := range s.Admin {
			_ = a.Close() // the server may be gone
		}
		if err := errors.Join(s.Links.Close(), host.Close()); err != nil {
			t.Error(err)
		}
	})
	c, err := cluster.Redis{}.Start(t.Context(), cluster.Spec{Name: "redis", Nodes: n, Agent: host, LogDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s.Nodes = c.Nodes()
	for _, node := range s.Nodes {
		addr, err := s.Links.Open(Client, node.Name, "127.0.0.1:0", node.Addr)
		if err != nil {
			t.Fatal(err)
		}
		s.Addrs = append(s.Addrs, addr)
		s.Admin = append(s.Admin, redisclient.New(node.Addr))
	}
	return s
}

// Open opens a session for the test; its randomness differs by name.
func (s *Servers) Open(t *testing.T, d drivers.Driver, ttl time.Duration, name string) drivers.Locker {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	l, err := d.Open(ctx, s.Addrs, drivers.Options{TTL: ttl, Rand: rng.Stream(1, t.Name()+name, 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the test may have closed it
	return l
}

// Acquire gets a lock that nobody holds.
func (s *Servers) Acquire(t *testing.T, l drivers.Locker, lock string) drivers.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	lease, err := l.Acquire(ctx, lock)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

// Try acquires within a time, and fails the test if that succeeds.
func (s *Servers) Try(t *testing.T, l drivers.Locker, lock string, within time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if _, err := l.Acquire(ctx, lock); err != nil {
		return err
	}
	t.Fatal("the lock was granted")
	return nil
}

// Kill ends node i with SIGKILL; whoever dials it is refused.
func (s *Servers) Kill(t *testing.T, i int) {
	t.Helper()
	if err := s.Nodes[i].Process.Kill(); err != nil {
		t.Fatal(err)
	}
}

// Hold keeps what nodes send from the client, while what the client sends arrives, until heal.
func (s *Servers) Hold(t *testing.T, nodes ...int) (heal func()) {
	t.Helper()
	var flows []faults.Flow
	for _, i := range nodes {
		flows = append(flows, faults.Flow{From: s.Nodes[i].Name, To: Client})
	}
	heal, err := s.Links.Cut(flows...)
	if err != nil {
		t.Fatal(err)
	}
	return heal
}

// Set gives the key another owner at node i, for good.
func (s *Servers) Set(t *testing.T, i int, key, value string) {
	t.Helper()
	if err := s.Admin[i].Set(t.Context(), key, value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

// Delete deletes the key at node i.
func (s *Servers) Delete(t *testing.T, i int, key string) {
	t.Helper()
	if err := s.Admin[i].Del(t.Context(), key).Err(); err != nil {
		t.Fatal(err)
	}
}

// Value is the key's value at node i; "": there is none.
func (s *Servers) Value(t *testing.T, i int, key string) string {
	t.Helper()
	v, err := s.Admin[i].Get(t.Context(), key).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	return v
}

// TTL is how long the key at node i has yet; negative: it has no expiry, or there is none.
func (s *Servers) TTL(t *testing.T, i int, key string) time.Duration {
	t.Helper()
	d, err := s.Admin[i].PTTL(t.Context(), key).Result()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Eventually waits until ok.
func Eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// AwaitLost waits until the lease's holder is told that it is lost.
func AwaitLost(t *testing.T, l drivers.Lease) {
	t.Helper()
	select {
	case <-l.Lost():
	case <-time.After(Patience):
		t.Fatal("Lost never fired")
	}
}

// Released fails the test unless the release ends with an error that Is want (nil: with none).
func Released(t *testing.T, l drivers.Lease, want error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := l.Release(ctx); !errors.Is(err, want) {
		t.Errorf("release: %v, want %v", err, want)
	}
}

// Variant finds the driver of that name.
func Variant(t *testing.T, all []drivers.Driver, name string) drivers.Driver {
	t.Helper()
	for _, d := range all {
		if d.Info.Name == name {
			return d
		}
	}
	t.Fatal(fmt.Errorf("no driver %q", name))
	return drivers.Driver{}
}
