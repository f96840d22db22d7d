package faults

import (
	"fmt"
	"slices"
	"testing"
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
				if slices.Contains(flows, Flow{a, b}) != slices.Contains(flows, Flow{b, a}) {
					t.Errorf("%d servers: %s and %s are cut one way", n, a, b)
				}
				if !slices.Contains(flows, Flow{a, b}) {
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
	if got := ringCuts([]string{"leader", "x", "y"}); !slices.Contains(got, Flow{"leader", "x"}) || len(got) != 2 {
		t.Errorf("of 3 servers it cuts %v", got)
	}
}

func TestRing(t *testing.T) {
	upstream, _ := server(t)
	links := NewLinks()
	defer links.Close()
	r := &rig{fakeCluster: newFakeCluster(3), links: links}
	for _, from := range r.Nodes() {
		for _, to := range r.Nodes() {
			if from == to {
				continue
			}
			if _, err := links.Open(from, to, "127.0.0.1:0", upstream); err != nil {
				t.Fatal(err)
			}
		}
	}
	blocked := func() (n int) {
		for _, g := range links.gates {
			if g.blocked() {
				n++
			}
		}
		return n
	}
	for range 5 {
		heal := must(t)(Ring{}.Inject(t.Context(), r, at(AllServers, r.Nodes()...)))
		if n := blocked(); n != 2 || links.gates[Flow{"n2", "n3"}].blocked() { // n1 leads
			t.Errorf("%d flows are cut, want both between the leader and a follower", n)
		}
		heal()
		if n := blocked(); n != 0 {
			t.Errorf("%d flows are cut after the heal", n)
		}
	}
}
