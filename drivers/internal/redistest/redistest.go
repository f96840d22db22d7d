// Package redistest looks into real Redis servers, past the links of the client under test.
package redistest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/bed"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/drivers/internal/redisclient"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/internal/topology"
)

// Servers are running masters, each behind a link of the client's.
type Servers struct {
	*bed.Bed
	Client *bed.Client
	// Admin looks into node i, past its link.
	Admin []*redisclient.Client
	// Addrs are where the sessions connect to: the links, unless a test says otherwise.
	Addrs []string
}

// Start starts n masters for the test.
func Start(t *testing.T, n int) *Servers {
	t.Helper()
	s := &Servers{Bed: bed.Start(t, drivers.Info{Name: "redis", Backend: drivers.Redis, Topology: topology.Of(topology.Equal, n)}, time.Second)}
	s.Client = s.Bed.Client(t, "client")
	s.Addrs = s.Client.Addrs()
	for _, node := range s.Nodes {
		admin := redisclient.New(node.Addr, s.Credentials())
		t.Cleanup(func() { _ = admin.Close() }) // the server may be gone
		s.Admin = append(s.Admin, admin)
	}
	return s
}

// Open opens a session for the test; its randomness differs by name.
func (s *Servers) Open(t *testing.T, d drivers.Driver, ttl time.Duration, name string) drivers.Locker {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), locktest.Patience)
	defer cancel()
	l, err := d.Open(ctx, s.Addrs, drivers.Options{Credentials: s.Credentials(), TTL: ttl, Rand: rng.Stream(1, t.Name()+name, 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the test may have closed it
	return l
}

// Hold keeps what nodes send from the client, while what the client sends arrives, until heal.
func (s *Servers) Hold(nodes ...int) (heal func()) { return s.Client.CutFrom(false, true, nodes...) }

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
