package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// session is one client of the servers, with one Locker at a time.
type session struct {
	*bench
	t         *testing.T
	name      string
	client    Client
	namespace string
	ttl       time.Duration
	opened    int
	drivers.Locker
}

// open makes a client with links and a session of its own.
func (b *bench) open(t *testing.T, name string) *session {
	t.Helper()
	return b.openFor(t, name, TTL)
}

// openFor is open with leases of another length.
func (b *bench) openFor(t *testing.T, name string, ttl time.Duration) *session {
	t.Helper()
	return b.openIn(t, name, "conformance", ttl)
}

// openIn is openFor in another namespace.
func (b *bench) openIn(t *testing.T, name, namespace string, ttl time.Duration) *session {
	t.Helper()
	s := &session{bench: b, t: t, name: t.Name() + " " + name, namespace: namespace, ttl: ttl, client: b.servers.Connect(t, name)}
	s.reopen()
	t.Cleanup(func() { _ = s.Close() }) // a test may have closed it, or cut it off
	return s
}

// options are those of the client's sessions.
func options(c Client, ttl time.Duration, namespace string, random *rand.Rand) drivers.Options {
	opt := drivers.Options{TTL: ttl, Namespace: namespace, Rand: random}
	if a, ok := c.(Authorized); ok {
		opt.Credentials = a.Credentials()
	}
	return opt
}

// replace ends the session and begins another, as a worker does after an acquire that is in doubt.
func (s *session) replace() error {
	if s.Locker != nil {
		_ = s.Close() // in doubt already
	}
	s.opened++
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	opt := options(s.client, s.ttl, s.namespace, rng.Stream(1, s.name, s.opened))
	var l drivers.Locker
	var err error
	s.marked(func() { l, err = s.driver.Open(ctx, s.client.Addrs(), opt) })
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	s.Locker = marker{s.bench, l}
	return nil
}

func (s *session) reopen() {
	s.t.Helper()
	if err := s.replace(); err != nil {
		s.t.Fatal(err)
	}
}

// cut cuts the client off from all servers, one way or both. It skips the rest of the test if the servers cannot do
// that.
func (s *session) cut(requests, replies bool) (heal func()) {
	s.t.Helper()
	cutter, ok := s.client.(Cutter)
	if !ok {
		s.t.Skip("SKIPPED, NOT PROVEN: these servers cannot be cut off")
	}
	return cutter.Cut(requests, replies)
}

// delay makes each round trip of the client longer. It skips the rest of the test if that cannot be done.
func (s *session) delay(d time.Duration) (heal func()) {
	s.t.Helper()
	delayer, ok := s.client.(Delayer)
	if !ok {
		s.t.Skip("SKIPPED, NOT PROVEN: the way to these servers cannot be made longer")
	}
	heal, err := delayer.Delay(d)
	must.Succeed(s.t, err)
	return heal
}

// reset ends the client's connections. It skips the rest of the test if that cannot be done.
func (s *session) reset() {
	s.t.Helper()
	resetter, ok := s.client.(Resetter)
	if !ok {
		s.t.Skip("SKIPPED, NOT PROVEN: the connections to these servers cannot be reset")
	}
	must.Succeed(s.t, resetter.Reset())
}

// eventually acquires. A service that is busy with another test may refuse, or leave it open, for a while.
func (s *session) eventually(lock string) (drivers.Lease, error) {
	for deadline := time.Now().Add(patience); ; {
		// Long, for who gives up in the middle of a question may leave it locked for a TTL.
		lease, err := locktest.Try(s, lock, patience/3)
		if err == nil || time.Now().After(deadline) {
			return lease, err
		}
		if !errors.Is(err, drivers.ErrNotAcquired) {
			if err := s.replace(); err != nil {
				return nil, err
			}
		}
	}
}

func (s *session) must(lock string) drivers.Lease {
	s.t.Helper()
	lease, err := s.eventually(lock)
	if err != nil {
		s.t.Fatalf("acquire %s: %v", lock, err)
	}
	return lease
}

// refused fails the test if the lock is granted. An acquire whose time ends with a request under way may leave it
// open; one in the end must prove that it took nothing.
func (s *session) refused(lock string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		_, err := locktest.Try(s, lock, busy)
		switch {
		case err == nil:
			s.t.Fatalf("%s was granted while somebody held it", lock)
		case errors.Is(err, drivers.ErrNotAcquired):
			return
		case time.Now().After(deadline):
			s.t.Fatalf("acquire of %s, which somebody holds: %v, want %v", lock, err, drivers.ErrNotAcquired)
		}
		s.reopen()
	}
}
