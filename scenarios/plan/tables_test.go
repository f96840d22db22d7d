package plan

import (
	"slices"
	"testing"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

func TestTablesOfShippedScenarios(t *testing.T) {
	want := map[string][]results.Table{
		"contention": {results.Contention}, "deadlock": {results.Deadlocks}, "leader-election": {results.Leadership},
		"clock-jump": {results.Clocks}, "clock-drift": {results.Clocks}, "client-clock": {results.Clocks}, "clock-sweep": {results.Clocks},
	}
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if got := Tables(s); !slices.Equal(got, want[s.Name]) {
			t.Errorf("%s: %v, want %v", s.Name, got, want[s.Name])
		}
	}
}

// Four workers in the phase without a fault are too few for the table, eight for each of two locks are enough.
func TestTablesCountTheWorkersOfThePhase(t *testing.T) {
	s, err := scenarios.Load("contention")
	if err != nil {
		t.Fatal(err)
	}
	one := 1
	s.Phases[0].Workload = &scenarios.Override{Workers: &one}
	if got := Tables(s); len(got) != 0 {
		t.Errorf("4 workers: %v", got)
	}
	s.Phases[0].Workload = nil
	for locks, want := range map[int]int{4: 1, 5: 0} {
		s.Workload.Locks = locks
		if got := Tables(s); len(got) != want {
			t.Errorf("32 workers, %d locks: %v", locks, got)
		}
	}
}
