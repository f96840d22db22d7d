// Package conformance asks of every driver, against real servers, all that its Info promises and nothing else.
package conformance

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/internal/testenv"
)

const (
	ttl = 3 * time.Second // every service honours 2 s; a heartbeat is a third of it, and a busy machine takes long to answer
	// long is for a lease that must not expire by itself while a busy machine takes its time.
	long = 4 * ttl
	// patience bounds whatever must happen in the end.
	patience = 30 * time.Second
	// busy is how long an acquire of a lock that somebody holds is given.
	busy = 150 * time.Millisecond
	// prompt bounds a call that was told to end, and cannot. A machine may be busy; a client library's own time-outs
	// are longer.
	prompt = 3 * time.Second
)

func TestMain(m *testing.M) {
	// The tests wait for leases to expire far more than they work.
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "-test.") {
		flag.Parse()
		if err := flag.Set("test.parallel", "16"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(testenv.Main(m, map[string]func([]string) error{cluster.EtcdCommand: cluster.RunEtcd}))
}

// bench is one driver with its servers. Every client of it has links of its own.
type bench struct {
	driver drivers.Driver
	nodes  []cluster.Node
	links  *faults.Links
}

func TestDrivers(t *testing.T) {
	host, err := agent.NewLocal()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	before := runtime.NumGoroutine()
	t.Run("all", func(t *testing.T) {
		for _, d := range all.Drivers() {
			t.Run(d.Info.Name, func(t *testing.T) {
				t.Parallel()
				b := start(t, host, d)
				t.Run("suite", b.suite)
			})
		}
	})
	// Sessions that were closed leave nothing that runs.
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
}

func start(t *testing.T, host agent.Agent, d drivers.Driver) *bench {
	t.Helper()
	for _, backend := range cluster.Backends() {
		if backend.Name() != d.Info.Backend {
			continue
		}
		_, err := backend.Detect(t.Context())
		testenv.NeedServer(t, err)
		b := &bench{driver: d, links: faults.NewLinks()}
		c, err := backend.Start(t.Context(), cluster.Spec{
			Name: d.Info.Name, Nodes: d.Info.Nodes, Agent: host, LogDir: t.TempDir(), TTL: ttl,
			Peer: func(from, to, listen, upstream string) error {
				_, err := b.links.Open(from, to, listen, upstream)
				return err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := errors.Join(c.Stop(), b.links.Close()); err != nil {
				t.Error(err)
			}
		})
		b.nodes = c.Nodes()
		return b
	}
	t.Fatalf("no backend %q", d.Info.Backend)
	return nil
}

// session is one client of the servers, with one Locker at a time.
type session struct {
	*bench
	t      *testing.T
	name   string
	addrs  []string
	ttl    time.Duration
	opened int
	drivers.Locker
}

// open makes a client with links and a session of its own.
func (b *bench) open(t *testing.T, name string) *session {
	t.Helper()
	return b.openFor(t, name, ttl)
}

// openFor is open with leases of another length.
func (b *bench) openFor(t *testing.T, name string, ttl time.Duration) *session {
	t.Helper()
	s := &session{bench: b, t: t, name: t.Name() + " " + name, ttl: ttl}
	for _, n := range b.nodes {
		addr, err := b.links.Open(s.name, n.Name, "127.0.0.1:0", n.Addr)
		if err != nil {
			t.Fatal(err)
		}
		s.addrs = append(s.addrs, addr)
	}
	s.reopen()
	t.Cleanup(func() { _ = s.Close() }) // a test may have closed it, or cut it off
	return s
}

// replace ends the session and begins another, as a worker does after an acquire that is in doubt.
func (s *session) replace() error {
	if s.Locker != nil {
		_ = s.Close() // in doubt already
	}
	s.opened++
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l, err := s.driver.Open(ctx, s.addrs, drivers.Options{TTL: s.ttl, Rand: rng.Stream(1, s.name, s.opened)})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	s.Locker = l
	return nil
}

func (s *session) reopen() {
	s.t.Helper()
	if err := s.replace(); err != nil {
		s.t.Fatal(err)
	}
}

// cut cuts the client off from all servers, one way or both.
func (s *session) cut(there, back bool) (heal func()) {
	s.t.Helper()
	var flows []faults.Flow
	for _, n := range s.nodes {
		if there {
			flows = append(flows, faults.Flow{From: s.name, To: n.Name})
		}
		if back {
			flows = append(flows, faults.Flow{From: n.Name, To: s.name})
		}
	}
	heal, err := s.links.Cut(flows...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(heal)
	return heal
}

// try acquires within the time.
func (s *session) try(lock string, within time.Duration) (drivers.Lease, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), within)
	defer cancel()
	return s.Acquire(ctx, lock)
}

// eventually acquires. A service that is busy with another test may refuse, or leave it open, for a while.
func (s *session) eventually(lock string) (drivers.Lease, error) {
	for deadline := time.Now().Add(patience); ; {
		// Long, for who gives up in the middle of a question may leave it locked for a TTL.
		lease, err := s.try(lock, patience/3)
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
		_, err := s.try(lock, busy)
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

func (s *session) release(l drivers.Lease) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return l.Release(ctx)
}

func (s *session) mustRelease(l drivers.Lease) {
	s.t.Helper()
	if err := s.release(l); err != nil {
		s.t.Fatalf("release: %v", err)
	}
}

func (s *session) awaitLost(l drivers.Lease) {
	s.t.Helper()
	select {
	case <-l.Lost():
	case <-time.After(patience):
		s.t.Fatal("Lost never fired")
	}
}

func lost(l drivers.Lease) bool {
	select {
	case <-l.Lost():
		return true
	default:
		return false
	}
}
