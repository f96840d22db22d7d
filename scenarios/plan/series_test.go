package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

func series(scenario string, drivers ...string) (plan.Series, error) {
	given := func(flag string) bool { return flag == "driver" && len(drivers) > 0 }
	c := plan.Catalog{Drivers: all.Drivers(), Check: plan.CheckScenario}
	return c.Series(plan.Flags{Scenario: scenario, Drivers: drivers, Changed: given})
}

// TestTheWholeLibrary: every scenario is in it once, or as often as it sweeps, under one seed, and all of it takes about
// half an hour.
func TestTheWholeLibrary(t *testing.T) {
	s, err := series("all")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, r := range s.Runs {
		seen[r.Scenario.Name]++
		if r.Seed != s.Runs[0].Seed {
			t.Errorf("%s has another seed", r.Scenario.Name)
		}
	}
	if len(seen) != len(scenarios.Names()) || s.Scenarios() != len(seen) || seen["clock-sweep"] != 5 || seen["partition"] != 1 || len(s.Left) != 0 {
		t.Errorf("runs: %v, left out: %v", seen, s.Left)
	}
	if d := s.Expected(); d < 15*time.Minute || d > 35*time.Minute {
		t.Errorf("it takes %v", d)
	}
}

// TestSeriesOfChosenLocks: a scenario that is about other locks is left out, and one about a variant is about its lock.
func TestSeriesOfChosenLocks(t *testing.T) {
	s, err := series("all", "redis-setnx", "etcd")
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, l := range s.Left {
		left = append(left, l.Scenario)
		if !strings.Contains(l.Reason, "postgres-row") {
			t.Errorf("%s is left out: %s", l.Scenario, l.Reason)
		}
	}
	if slices.Sort(left); !slices.Equal(left, []string{"backend-terminated", "in-transaction"}) {
		t.Errorf("left out: %v", left)
	}
	for _, r := range s.Runs {
		want := []string{"redis-setnx", "etcd"}
		if r.Scenario.Name == "partition-peers" {
			want = want[1:]
		}
		if !slices.Equal(r.Names(), want) {
			t.Errorf("%s has %v", r.Scenario.Name, r.Names())
		}
	}
	both, err := series("partition,client-pause", "etcd")
	one, err2 := series("partition,client-pause", "redis-setnx")
	if err != nil || err2 != nil || both.Expected() <= one.Expected() || one.Runs[0].Scenario.Name != "partition" {
		t.Errorf("%v, %v: etcd, with a fence, takes %v, and Redis without one %v", err, err2, both.Expected(), one.Expected())
	}
}

func TestSeriesThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		scenario string
		drivers  []string
		want     string
	}{
		{"partition,", nil, "a comma too many"},
		{"partition,all", nil, "all stands alone"},
		{"partition,baseline,partition", nil, "partition is there twice"},
		{"partitoin,baselin", nil, `unknown scenario "partitoin", did you mean "partition"?`},
		{"partitoin,baselin", nil, `unknown scenario "baselin", did you mean "baseline"?`},
		{"in-transaction,backend-terminated", []string{"etcd"}, "no scenario is about etcd"},
		{"in-transaction,baseline", []string{"etdc"}, `unknown driver "etdc"`},
	} {
		if _, err := series(tt.scenario, tt.drivers...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %v: %v, want %q", tt.scenario, tt.drivers, err, tt.want)
		}
	}
}
