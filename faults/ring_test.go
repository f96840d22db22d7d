package faults

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/faults/processes/processtest"
	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

func TestRingOfMajorities(t *testing.T) {
	for n := 3; n <= 9; n++ {
		var order []string
		for i := range n {
			order = append(order, fmt.Sprintf("n%d", i+1))
		}
		flows := ringCuts(order)
		seen := map[string]string{}
		for _, a := range order {
			var sees []string
			for _, b := range order {
				if slices.Contains(flows, links.Flow{From: a, To: b}) != slices.Contains(flows, links.Flow{From: b, To: a}) {
					t.Errorf("%d servers: %s and %s are cut one way", n, a, b)
				}
				if !slices.Contains(flows, links.Flow{From: a, To: b}) {
					sees = append(sees, b)
				}
			}
			if len(sees) < n/2+1 {
				t.Errorf("%d servers: %s sees only %v", n, a, sees)
			}
			if other, same := seen[fmt.Sprint(sees)]; same {
				t.Errorf("%d servers: %s and %s see the same: %v", n, a, other, sees)
			}
			seen[fmt.Sprint(sees)] = a
		}
	}
	if got := ringCuts([]string{"leader", "x", "y"}); !slices.Contains(got, links.Flow{From: "leader", To: "x"}) || len(got) != 2 {
		t.Errorf("of 3 servers it cuts %v", got)
	}
}

func TestRing(t *testing.T) {
	upstream, _ := tcptest.Server(t)
	links := links.New()
	defer links.Close()
	r := &rig{fakeCluster: newFakeCluster(3), links: links}
	for _, from := range r.Topology().Names() {
		for _, to := range r.Topology().Names() {
			if from == to {
				continue
			}
			if _, err := links.Open(from, to, "127.0.0.1:0", upstream); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 5 {
		heal := processtest.Must(t)(Ring{}.Inject(t.Context(), r, at(AllServers, r.Topology().Names()...)))
		if cut := links.Left(); len(cut) != 2 || slices.Contains(cut, "n2→n3") { // n1 leads
			t.Errorf("%v are cut, want both flows between the leader and a follower", cut)
		}
		heal()
		if cut := links.Left(); len(cut) != 0 {
			t.Errorf("%v are cut after the heal", cut)
		}
	}
}
