package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rig is client c1 with a link to server n1.
type rig struct {
	*fakeCluster
	t      *testing.T
	links  *Links
	linked string // the address that c1 dials
	conns  <-chan *net.TCPConn
}

func newRig(t *testing.T) *rig {
	t.Helper()
	upstream, conns := server(t)
	links := NewLinks()
	t.Cleanup(func() { links.Close() })
	linked, err := links.Open("c1", "n1", "127.0.0.1:0", upstream)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{fakeCluster: newFakeCluster(1), t: t, links: links, linked: linked, conns: conns}
}

func (r *rig) Links() *Links { return r.links }

// pair makes a connection: its ends at c1 and at n1.
func (r *rig) pair() (caller, callee *net.TCPConn) {
	r.t.Helper()
	caller = dial(r.t, r.linked)
	send(r.t, caller, "hello")
	callee = accepted(r.t, r.conns)
	receive(r.t, callee, "hello")
	return caller, callee
}

// strike injects a fault into what c1 sends (Out), receives (In) or both, and returns the heal.
func (r *rig) strike(f Fault, d Direction, p Params) func() {
	r.t.Helper()
	s := at(Holder, "c1")
	s.Target.Direction, s.Params = d, p
	return must(r.t)(f.Inject(r.t.Context(), r, s))
}

// works fails the test unless bytes pass both ways.
func (r *rig) works(caller, callee net.Conn) {
	r.t.Helper()
	send(r.t, caller, "there")
	receive(r.t, callee, "there")
	send(r.t, callee, "back")
	receive(r.t, caller, "back")
}

// wasReset fails the test unless a reset comes, and nothing before it.
func wasReset(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("read %d bytes, %v; want a reset", n, err)
	}
}

// nobody fails the test if a connection is made.
func (r *rig) nobody() {
	r.t.Helper()
	select {
	case conn := <-r.conns:
		r.t.Fatalf("a connection was made from %v", conn.RemoteAddr())
	case <-time.After(100 * time.Millisecond):
	}
}

// noGoroutines fails the test unless all that ran in this package's goroutines since before ends.
func noGoroutines(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("goroutines left behind:\n%s", buf[:runtime.Stack(buf, true)])
		}
	}
}

func TestLinkFaultsRefuse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, test := range []struct {
		fault     Fault
		role      Role
		params    Params
		direct    bool
		want      string // "": available
		noMeaning bool
	}{
		{Latency{}, Holder, Params{Delay: 1, Jitter: 1}, false, "", false},
		{Latency{}, Holder, Params{Jitter: 1}, false, "latency needs delay", false},
		{Latency{}, Holder, Params{Delay: -1}, false, "negative", false},
		{Latency{}, Holder, Params{Delay: 1}, true, "--direct", false},
		{Bandwidth{}, Holder, Params{}, false, "bandwidth needs rate", false},
		{Chop{}, Holder, Params{Gap: 1}, false, "chop needs size", false},
		{SlowClose{}, Holder, Params{}, false, "slow-close needs delay", false},
		{Flapping{}, Holder, Params{Up: 1}, false, "flapping needs down", false},
		{Blackhole{}, Minority, Params{}, false, "minority", true},
		{Reset{}, Holder, Params{Delay: 1}, false, "reset has no such setting", false},
		{Partition{}, Holder, Params{DeadPeer: 1}, false, "", false},
		{Ring{}, AllServers, Params{}, false, "takes 3 servers", true},
		{Ring{}, Random, Params{}, false, `its target is "all"`, false},
	} {
		var c Cluster = r
		if test.direct {
			c = r.fakeCluster
		}
		s := Strike{Target: Target{Role: test.role}, Hosts: []string{"c1"}, Params: test.params, Rand: rand.New(rand.NewPCG(1, 2))}
		err := test.fault.Available(c, s)
		name := fmt.Sprintf("%s on %s, %+v", test.fault.Info().Name, test.role, test.params)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if errors.Is(err, ErrNoMeaning) != test.noMeaning {
			t.Errorf("%s: %v: has no meaning: %v", name, err, !test.noMeaning)
		}
		if _, injected := test.fault.Inject(t.Context(), c, s); err != nil && injected == nil {
			t.Errorf("%s: was injected although it is not available: %v", name, err)
		}
	}
}
