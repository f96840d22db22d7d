package run

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report/measure"
	"github.com/lockbench/lockbench/scenarios"
)

// Two workers that take two locks in opposite orders wait for each other: PostgreSQL finds that out and refuses one
// of them, and of Redis nobody hears before a time-out passes. Their histories are well-formed all the same, or they
// would not be judged.
func TestDeadlockIsEnded(t *testing.T) {
	t.Parallel()
	s, err := scenarios.Load("deadlock")
	if err != nil {
		t.Fatal(err)
	}
	// One worker each way: nobody else's wait is cut short first.
	s.Workload.Clients, s.Workload.Workers = 1, 2
	s.Workload.Hold = scenarios.Range{Min: scenarios.Span{Fixed: 20 * time.Millisecond}, Max: scenarios.Span{Fixed: 40 * time.Millisecond}}
	s.Phases[0].For, s.Phases[0].Alone = scenarios.Span{Fixed: 3 * time.Second}, false
	s.Require.Grants = 1 // the deadlocks are what matters
	const server, silent = "postgres-row", "redis-setnx"
	run, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find(server), find(silent)}})
	if !run.Shows(results.Deadlocks) {
		t.Errorf("the run shows %v", run.Tables)
	}
	for i := range run.Tests {
		test := &run.Tests[i]
		if _, ok := judged[test.Name]; !ok {
			t.Errorf("%s was not judged: %s", test.Name, test.Reason)
			continue
		}
		m, err := measure.Test(&run.Run, test, measure.Ops(readHistory(t, run.dir, test.Name)), nil)
		if err != nil {
			t.Fatal(err)
		}
		d := m.Deadlocks
		t.Logf("%s: %d deadlocks, ended by the server: %d, by a time-out: %d, the longest took %v", test.Driver, d.Count, d.Server, d.TimedOut, d.Lasted.Max())
		switch {
		case test.Driver == server && d.Server == 0:
			t.Errorf("%s: the server ended no deadlock: %+v", test.Name, d)
		case test.Driver == silent && (d.TimedOut == 0 || d.Server != 0):
			t.Errorf("%s: no time-out ended a deadlock, or a server did: %+v", test.Name, d)
		}
	}
}
