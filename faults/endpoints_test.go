package faults

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/topology"
)

// endpoints is a cluster of voters of which only the addresses are known. It has links between clients and servers.
type endpoints struct{ *rig }

func (endpoints) Topology() topology.Topology {
	nodes := topology.Of(topology.Voter, 3)
	for i := range nodes {
		nodes[i].Endpoint = true
	}
	return nodes
}

func (endpoints) Service() any { return terminators(1) }

func TestEndpoints(t *testing.T) {
	t.Parallel()
	c := endpoints{newRig(t)}
	lacks := map[string]string{ // of servers; every other fault acts on links
		"amnesia": "process", "crash": "process", "pause": "process", "rolling-restart": "process",
		"clock-drift": "clock", "clock-jump": "clock", "clock-strobe": "clock",
		"ring": "peer link", "terminate": "",
	}
	for _, f := range All() {
		info := f.Info()
		lack, other := lacks[info.Name]
		refused := func(want string, role Role, peers ...Role) {
			t.Helper()
			err := f.Available(c, Injection{Target: Target{Role: role, Peers: peers}})
			if want != "" {
				want = "only the address of n1 is known: there is no " + want + " to act on"
			}
			if want == "" && err != nil || want != "" && (err == nil || err.Error() != want || errors.Is(err, ErrNoMeaning)) {
				t.Errorf("%s of %s, peers %v: %v, want %q", info.Name, role, peers, err, want)
			}
		}
		switch {
		case other:
			refused(lack, AllServers)
		default:
			refused("", AllServers)
			refused("", Leader, AllClients)
			refused("", "n1", Holder)
			refused("peer link", Leader)
			refused("peer link", "n1")
			refused("peer link", Minority, AllClients, Majority)
		}
		if info.Targets == AnyHost {
			refused("", Holder)
			refused("", "c1", Leader)
		}
	}
}

// A link fault between a client and an endpoint is injected and healed as ever.
func TestEndpointsAreCutOff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	in := at("n1", "n1")
	in.Target.Peers, in.Peers = []Role{AllClients}, []string{"c1"}
	heal, err := Reset{}.Inject(t.Context(), endpoints{r}, in)
	if err != nil {
		t.Fatal(err)
	}
	r.refused()
	if err := heal(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	r.works(r.pair())
}

// One server of which only the address is known does not keep faults from the others by name.
func TestOneEndpoint(t *testing.T) {
	c := oneEndpoint{newFakeCluster(3)}
	if err := (Crash{}).Available(c, at("n1", "n1")); err != nil {
		t.Error(err)
	}
	for _, role := range []Role{"n2", Leader, AllServers} {
		if err := (Crash{}).Available(c, at(role)); err == nil || !strings.Contains(err.Error(), "address of n2 ") {
			t.Errorf("crash of %s: %v", role, err)
		}
	}
}

type oneEndpoint struct{ *fakeCluster }

func (oneEndpoint) Topology() topology.Topology {
	nodes := topology.Of(topology.Voter, 3)
	nodes[1].Endpoint = true
	return nodes
}
