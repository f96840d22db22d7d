package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/faults/processes/processtest"
	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

// rig is client c1 with a link to server n1.
type rig struct {
	*fakeCluster
	t      *testing.T
	links  *links.Links
	linked string // the address that c1 dials
	conns  <-chan *net.TCPConn
}

func newRig(t *testing.T) *rig {
	t.Helper()
	upstream, conns := tcptest.Server(t)
	links := links.New()
	t.Cleanup(func() { links.Close() })
	linked, err := links.Open("c1", "n1", "127.0.0.1:0", upstream)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{fakeCluster: newFakeCluster(1), t: t, links: links, linked: linked, conns: conns}
}

func (r *rig) Links() *links.Links { return r.links }

// pair makes a connection: its ends at c1 and at n1.
func (r *rig) pair() (caller, callee *net.TCPConn) {
	r.t.Helper()
	caller = tcptest.Dial(r.t, r.linked)
	tcptest.Send(r.t, caller, "hello")
	callee = tcptest.Accepted(r.t, r.conns)
	tcptest.Receive(r.t, callee, "hello")
	return caller, callee
}

// inject injects a fault into what c1 sends (Out), receives (In) or both, and returns the heal.
func (r *rig) inject(f Fault, d Direction, values Settings) func() {
	r.t.Helper()
	s := at(Holder, "c1")
	s.Target.Direction, s.Settings = d, values
	return processtest.Must(r.t)(f.Inject(r.t.Context(), r, s))
}

// works fails the test unless bytes pass both ways.
func (r *rig) works(caller, callee net.Conn) {
	r.t.Helper()
	tcptest.Send(r.t, caller, "there")
	tcptest.Receive(r.t, callee, "there")
	tcptest.Send(r.t, callee, "back")
	tcptest.Receive(r.t, caller, "back")
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

func TestLinkFaultsRefuse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, test := range []struct {
		fault     Fault
		role      Role
		settings  Settings
		direct    bool
		want      string // "": available
		noMeaning bool
	}{
		{Latency{}, Holder, Settings{"delay": time.Duration(1), "jitter": time.Duration(1)}, false, "", false},
		{Latency{}, Holder, Settings{"delay": time.Duration(1)}, true, "--direct", false},
		{Blackhole{}, Minority, Settings{}, false, "minority", true},
		{Partition{}, Holder, Settings{"dead-peer": time.Duration(1)}, false, "", false},
		{Ring{}, AllServers, Settings{}, false, "takes 3 servers", true},
		{Ring{}, Random, Settings{}, false, `its target is "all"`, false},
	} {
		var c Cluster = r
		if test.direct {
			c = r.fakeCluster
		}
		s := Injection{Target: Target{Role: test.role}, Hosts: []string{"c1"}, Settings: test.settings, Rand: rand.New(rand.NewPCG(1, 2))}
		err := test.fault.Available(c, s)
		name := fmt.Sprintf("%s on %s, %+v", test.fault.Info().Name, test.role, test.settings)
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
