package progress

import (
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
)

// begin is when the scripted run begins.
var begin = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)

// at stamps an event.
func at(seconds float64, e Event) Event {
	e.Time = begin.Add(time.Duration(seconds * float64(time.Second)))
	return e
}

// of makes the event one of a test of etcd or redis-setnx.
func of(driver, phase string, e Event) Event {
	e.Driver, e.Test, e.Phase = driver, driver+".unfenced.heeding", phase
	return e
}

func one() *int {
	n := 1
	return &n
}

func holder(step int, host string) *history.Fault {
	return &history.Fault{Step: step, Role: "holder", Hosts: []string{host}}
}

func planned(driver string) Test {
	return Test{driver + ".unfenced.heeding", driver, []Phase{
		{"healthy", true, 4 * time.Second}, {"holder-cut", false, 3 * time.Second}, {"healed", false, time.Second},
	}}
}

// start is a run's begin: one driver that will run, one that will not, and one that starts.
func start() []Event {
	return []Event{
		at(0, Event{Kind: RunStarted, Run: &Run{
			Scenario: "partition", Swept: "$.workload.ttl = 2s", Seed: 7, Dir: "results/20261123T060000Z-partition",
			Drivers: []string{"redis-setnx", "etcd", "zookeeper"}, Tests: []Test{planned("redis-setnx"), planned("etcd"), planned("zookeeper")},
		}}),
		at(0, Event{Kind: ClusterStarting, Driver: "redis-setnx"}),
		at(0, Event{Kind: ClusterStarting, Driver: "etcd"}),
		at(0, Event{Kind: ClusterReady, Driver: "redis-setnx", Version: "7.0.15"}),
		at(0.1, Event{Kind: DriverOut, Driver: "zookeeper", Status: results.NotRun, Reason: "no zkServer.sh\nsudo apt-get install zookeeper\x1b[2J"}),
	}
}

// middle goes on until a fault is in force in both tests.
func middle() []Event {
	return []Event{
		at(2, Event{Kind: ClusterReady, Driver: "etcd", Version: "3.7.3"}),
		at(2, Event{Kind: ClustersReady, Clusters: &Clusters{2, 3}, Took: 2003 * time.Millisecond}),
		at(2, of("redis-setnx", "", Event{Kind: TestStarted})),
		at(2, of("redis-setnx", "healthy", Event{Kind: PhaseStarted, Expected: 4 * time.Second})),
		at(3, of("redis-setnx", "healthy", Event{Kind: Tick, Counts: &Counts{Attempts: 1901, Grants: 1900, Rate: 1899.5, P99: 485123, Max: 990411}})),
		at(6, of("redis-setnx", "healthy", Event{Kind: PhaseEnded, Status: results.Complete, Took: 4 * time.Second, Counts: &Counts{Attempts: 7600, Grants: 7600, Rate: 1900, P99: 485123, Max: 990411}})),
		at(6, of("etcd", "", Event{Kind: TestStarted})),
		at(6, of("etcd", "healthy", Event{Kind: PhaseStarted, Expected: 4 * time.Second})),
		at(10, of("etcd", "healthy", Event{Kind: PhaseEnded, Status: results.Complete, Took: 4 * time.Second})),
		at(10, of("redis-setnx", "holder-cut", Event{Kind: PhaseStarted, Expected: 3 * time.Second})),
		at(10, of("etcd", "holder-cut", Event{Kind: PhaseStarted, Expected: 3 * time.Second})),
		at(10.1, of("redis-setnx", "holder-cut", Event{Kind: FaultInjected, Fault: "partition", Target: "holder: c3", Injection: holder(1, "c3")})),
		at(10.2, of("etcd", "holder-cut", Event{Kind: FaultInjected, Fault: "partition", Target: "holder: c1", Injection: holder(1, "c1")})),
		at(11, of("etcd", "holder-cut", Event{Kind: Tick, Counts: &Counts{Attempts: 31, Grants: 20, Rate: 20, Max: 1230 * time.Millisecond}})),
		at(12, of("redis-setnx", "", Event{Kind: Violation, Text: "c1 was granted `lock-1` at 4.1 s while c3, granted it at 2.1 s, still held it"})),
		at(12, of("redis-setnx", "holder-cut", Event{Kind: Tick, Counts: &Counts{Attempts: 150, Grants: 135, Rate: 12.25, P99: 94961663, Max: 122884589, Incidents: one()}})),
	}
}

// end is the rest of the run.
func end() []Event {
	return []Event{
		at(13, of("redis-setnx", "holder-cut", Event{Kind: FaultHealed, Fault: "partition", Target: "holder: c3", Injection: holder(1, "c3")})),
		at(14, of("redis-setnx", "holder-cut", Event{Kind: PhaseEnded, Status: results.Complete, Reason: "not recovered within 7s after the heal", Took: 4 * time.Second})),
		at(14, of("redis-setnx", "healed", Event{Kind: PhaseSkipped, Status: results.NotApplicable, Reason: "1 server has no minority"})),
		at(14, of("redis-setnx", "", Event{Kind: TestEnded, Status: results.Complete})),
		at(14.5, Event{Kind: Note, Driver: "etcd", Text: "a server does not stop"}),
		at(15, of("etcd", "", Event{Kind: TestEnded, Status: results.Failed, Reason: "no space left on device"})),
		at(15, Event{Kind: Judging}),
		at(16, Event{Kind: RunEnded, Result: &Result{
			Swept: "$.workload.ttl = 2s", Dir: "results/20261123T060000Z-partition", Exit: 4, Error: "etcd: no space left on device",
			Tests: []Verdict{{"redis-setnx.unfenced.heeding", "redis-setnx", "invalid", "valid", "valid", 1}},
		}}),
	}
}
