package topology

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		kind  Kind
		nodes int
		role  Role
		want  string // "": the role can be filled
	}{
		{Voter, 3, Leader, ""},
		{Voter, 1, Primary, ""},
		{Single, 1, Leader, "nobody can be the leader"},
		{Equal, 5, Primary, "nobody can be the primary"},
		{Voter, 3, Follower, ""},
		{Voter, 1, Follower, "a single server has no follower"},
		{Equal, 5, Follower, "nobody can be the follower"},
		{Equal, 3, Minority, ""},
		{Voter, 2, Minority, "2 servers have no minority"},
		{Single, 1, Minority, "1 server has no minority"},
		{Single, 1, Majority, ""},
		{Single, 1, Random, ""},
		{Equal, 2, All, ""},
		{Voter, 3, "n3", ""},
		{Voter, 3, "n4", "there is no server n4, only n1, n2, n3"},
		{Voter, 3, "c1", "there is no server c1"},
	} {
		err := Of(tt.kind, tt.nodes).Check(tt.role)
		if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, ErrNotApplicable) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s of %d %ss: %v, want %q", tt.role, tt.nodes, tt.kind, err, tt.want)
		}
	}
}

// TestResolve: whatever the topology, the leader and the draw, the nodes are those that each role promises.
func TestResolve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]Kind{Single, Equal, Voter}).Draw(t, "kind")
		n := 1
		if kind != Single {
			n = rapid.IntRange(1, 9).Draw(t, "nodes")
		}
		nodes := Of(kind, n)
		lead := rapid.SampledFrom(nodes.Names()).Draw(t, "leader")
		seed := rapid.Uint64().Draw(t, "seed")
		for role, want := range map[Role]struct {
			count int
			leads bool // the leader is among them, where there is one
			drawn bool // by who leads
		}{
			Leader: {1, true, true}, Primary: {1, true, true}, Follower: {1, false, true},
			Minority: {(n - 1) / 2, false, true}, Majority: {n/2 + 1, true, true},
			Random: {count: 1}, All: {count: n}, "n1": {count: 1}, "n5": {count: 1}, "c1": {},
		} {
			asked := false
			resolve := func() ([]string, error) {
				return nodes.Resolve(t.Context(), role, func(context.Context) (string, error) {
					asked = true
					return lead, nil
				}, rand.New(rand.NewPCG(seed, 0)))
			}
			got, err := resolve()
			if refused := nodes.Check(role); refused != nil {
				if err == nil || err.Error() != refused.Error() || asked {
					t.Fatalf("%s: %v, %v, the leader was asked: %v; want %v", role, got, err, asked, refused)
				}
				continue
			}
			if again, _ := resolve(); err != nil || !slices.Equal(got, again) {
				t.Fatalf("%s: %v (%v), and %v by the same seed", role, got, err, again)
			}
			known := slices.DeleteFunc(nodes.Names(), func(name string) bool { return !slices.Contains(got, name) })
			if len(got) != want.count || !slices.Equal(got, known) {
				t.Fatalf("%s: %v, want %d different nodes in order", role, got, want.count)
			}
			if slices.Contains(nodes.Names(), string(role)) && got[0] != string(role) {
				t.Fatalf("%s: %v", role, got)
			}
			if elected := kind == Voter && want.drawn; asked != elected || elected && slices.Contains(got, lead) != want.leads {
				t.Fatalf("%s: %v; %s leads, and was asked for: %v", role, got, lead, asked)
			}
		}
	})
}

// TestEveryNodeIsDrawn: a role that leaves a choice can be filled by each node that may fill it.
func TestEveryNodeIsDrawn(t *testing.T) {
	nodes := Of(Voter, 5)
	random := rand.New(rand.NewPCG(1, 2))
	for role, want := range map[Role]int{Follower: 4, Minority: 4, Majority: 5, Random: 5} {
		drawn := map[string]bool{}
		for range 200 {
			got, err := nodes.Resolve(t.Context(), role, func(context.Context) (string, error) { return "n3", nil }, random)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range got {
				drawn[name] = true
			}
		}
		if len(drawn) != want {
			t.Errorf("%s: %v was drawn, want %d nodes", role, drawn, want)
		}
	}
}

func TestLeaderNotFound(t *testing.T) {
	silent := errors.New("nobody leads")
	for _, role := range []Role{Leader, Primary, Follower, Minority, Majority} {
		_, err := Of(Voter, 3).Resolve(t.Context(), role, func(context.Context) (string, error) { return "", silent }, rand.New(rand.NewPCG(1, 2)))
		if !errors.Is(err, silent) || errors.Is(err, ErrNotApplicable) {
			t.Errorf("%s: %v, want %v", role, err, silent)
		}
	}
	_, err := Of(Voter, 3).Resolve(t.Context(), Majority, func(context.Context) (string, error) { return "n9", nil }, rand.New(rand.NewPCG(1, 2)))
	if err == nil || !strings.Contains(err.Error(), "n9 leads and does not vote") {
		t.Errorf("an unknown leader: %v", err)
	}
}
