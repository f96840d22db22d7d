// Package results is a run on disk: results/<time>-<scenario>/. It is written in three phases (before the run,
// after each history, after the verdicts), so that a crash in a later one loses nothing of an earlier one.
package results

import (
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
)

// Format is the version of run.json and verdict.json that this program writes. It reads formats 1 and 2, too.
const Format = 3

// The files of a run's directory.
const (
	RunFile      = "run.json"
	ScheduleFile = "schedule.yaml" // the resolved schedule
	HistoryDir   = "history"       // one <test>.jsonl a test
	StreamDir    = "streams"       // the ops of tests under way, gone when the run is complete
	VerdictFile  = "verdict.json"
	SummaryFile  = "summary.csv"
	ReportFile   = "report.html"
	TextFile     = "report.txt"
	MarkdownFile = "report.md"
	JSONFile     = "report.json"
	JUnitFile    = "junit.xml"
	BenchFile    = "bench.txt" // the latency in the Go benchmark format
	LatencyDir   = "latency"   // HistogramFile says what is in it
	LogDir       = "logs"
)

// Status says how far a test or a driver came.
type Status string

// The statuses.
const (
	Complete Status = "complete"
	// Incomplete: the run was interrupted; what there is was judged.
	Incomplete Status = "incomplete"
	// NotRun: it could not run here; Reason says why and what to do. It never counts as safe.
	NotRun Status = "not run"
	// NotApplicable: it has no meaning for this lock (fencing without a token).
	NotApplicable Status = "not applicable"
	// Failed: the infrastructure failed under it.
	Failed Status = "failed"
)

// Run is run.json.
type Run struct {
	Format   int    `json:"format"`
	Scenario string `json:"scenario"`
	Summary  string `json:"summary"` // what the scenario shows
	// Library names the scenarios that this lockbench has; a report says which of them were not run.
	Library []string `json:"library,omitempty"`
	Seed    uint64   `json:"seed"`
	// Round says which of how many repetitions this run is, from 1; nil: it is the only one.
	Round   *Round    `json:"round,omitempty"`
	Argv    []string  `json:"argv"`
	Started time.Time `json:"started"`
	// Finished is zero while the run goes on, and stays so if it crashed.
	Finished time.Time `json:"finished,omitzero"`
	Status   Status    `json:"status"`
	Reason   string    `json:"reason,omitempty"`
	// Version and Commit are lockbench's own.
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Host    Host   `json:"host"`
	// Direct is true if clients bypassed the proxies.
	Direct bool `json:"direct"`
	// ProxyCost is what one round trip through a link cost more than without; zero when Direct.
	ProxyCost ProxyCost `json:"proxy_cost"`
	// Workload is the load of all phases that have none of their own.
	Workload Workload `json:"workload"`
	// Plan has the scenario's phases, in order.
	Plan []PlannedPhase `json:"plan"`
	// Outline is the plan as a scenario's file has it, on one line, for a reader to see and to compare.
	Outline string `json:"outline"`
	// Sweep is the value of the scenario that this run changed; nil: it is no run of a sweep.
	Sweep *Sweep `json:"sweep,omitempty"`
	// Tables are those that the scenario wants beside the comparison.
	Tables  []Table  `json:"tables,omitempty"`
	Drivers []Driver `json:"drivers"` // in table order, those that did not run included
	Tests   []Test   `json:"tests"`   // in run order
}

// Round is one of several runs of the same, each with a seed of its own.
type Round struct {
	N  int `json:"n"`
	Of int `json:"of"`
}

// String is "round 2 of 5".
func (r *Round) String() string { return fmt.Sprintf("round %d of %d", r.N, r.Of) }

// Table names a table that a report shows beside the comparison.
type Table string

// The tables.
const (
	// Contention: how fairly a lock is shared, and how long it takes from one holder to the next.
	Contention Table = "contention"
	// Deadlocks: who ends them, and how long that takes.
	Deadlocks Table = "deadlocks"
	// Leadership: how long nobody leads, and whether two ever do.
	Leadership Table = "leadership"
	// Severity: how bad the violations were. It is shown if there were any.
	Severity Table = "severity"
	// Clocks: which locks were lost when wall clocks were moved.
	Clocks Table = "clocks"
)

// Shows reports whether the run has the table.
func (r *Run) Shows(t Table) bool { return slices.Contains(r.Tables, t) }

// Interrupted reports whether the run was asked to end early, and ended in order.
func (r *Run) Interrupted() bool { return r.Status == Incomplete && !r.Finished.IsZero() }

// Subject is what the run is about: its scenario and, in a sweep, the value.
func (r *Run) Subject() string {
	if r.Sweep != nil {
		return r.Scenario + " with " + r.Sweep.String()
	}
	return r.Scenario
}

// Title is the subject and, of several rounds, which it is.
func (r *Run) Title() string {
	if r.Round != nil {
		return r.Subject() + ", " + r.Round.String()
	}
	return r.Subject()
}

// Host is where the run happened.
type Host struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	Kernel string `json:"kernel"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory uint64 `json:"memory_bytes"`
	Go     string `json:"go"`
}

// ProxyCost compares round trips to an echo server with and without a link, measured at the run's start.
type ProxyCost struct {
	DirectP50 time.Duration `json:"direct_p50_ns"`
	ProxyP50  time.Duration `json:"proxy_p50_ns"`
	DirectP99 time.Duration `json:"direct_p99_ns"`
	ProxyP99  time.Duration `json:"proxy_p99_ns"`
}

// Driver is one row: what the driver says of itself, and whether it ran.
type Driver struct {
	Name       string `json:"name"`
	Title      string `json:"title"`
	Summary    string `json:"summary"`
	Backend    string `json:"backend"`
	Version    string `json:"version"` // of the servers; empty if not run
	Nodes      int    `json:"nodes"`
	RoundTrips int    `json:"round_trips"` // of an uncontended acquire, as the driver declares them
	// RoundTripsMeasured is what the run found them to be; nil: it did not measure them.
	RoundTripsMeasured *RoundTrips `json:"round_trips_measured,omitempty"`
	Token              string      `json:"token"` // where the fencing token comes from; empty: it has none
	Lease              bool        `json:"lease"`
	Renewed            bool        `json:"renewed"`
	// LossBy says whose code tells a holder that the lock is lost: "client library" or "lockbench"; empty: not said.
	LossBy string `json:"loss_by,omitempty"`
	Status Status `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// RoundTrips is how many times an uncontended acquire waits for its servers, one after another.
type RoundTrips struct {
	// N is Longer in whole Delays.
	N int `json:"n"`
	// Acquires is how many were timed with the delay, each against one without.
	Acquires int `json:"acquires"`
	// Delay is by how much every round trip was made longer, Longer by how much an acquire then took longer: the
	// median.
	Delay  time.Duration `json:"delay_ns"`
	Longer time.Duration `json:"longer_ns"`
	// Reason says why there is no figure; empty: there is.
	Reason string `json:"reason,omitempty"`
}

// Test is one driver under one setting: one history, one verdict.
type Test struct {
	// Name is the stem of its files ("redis-setnx.unfenced.ignoring").
	Name    string `json:"name"`
	Driver  string `json:"driver"`
	Fenced  bool   `json:"fenced"`
	Heeding bool   `json:"heeding"`
	// InTransaction is true if the data lived in the locks' own transactions. What the resource did is then known only
	// once the ledger was read from the servers: streams of a test that did not come so far prove nothing.
	InTransaction bool   `json:"in_transaction,omitempty"`
	Status        Status `json:"status"`
	Reason        string `json:"reason,omitempty"`
	// Phases are those the scenario has, in order; NotApplicable ones are not in the history.
	Phases []Phase         `json:"phases"`
	Check  checker.Options `json:"check"`
	// Expect is what the scenario expects of this test; nil: that it is valid.
	Expect *Expect `json:"expect,omitempty"`
	// Notes are what a reader of the verdict should know (torn records dropped, a time-out of a phase).
	Notes []string `json:"notes,omitempty"`
}

// TestName is the name of a driver's test under a setting.
func TestName(driver string, fenced, heeding bool) string {
	name := driver + ".unfenced"
	if fenced {
		name = driver + ".fenced"
	}
	if heeding {
		return name + ".heeding"
	}
	return name + ".ignoring"
}

// Phase finds the test's phase of that name; nil: it has none.
func (t *Test) Phase(name string) *Phase {
	for i := range t.Phases {
		if t.Phases[i].Name == name {
			return &t.Phases[i]
		}
	}
	return nil
}

// Phase is how far a test came with one phase of the run's plan.
type Phase struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// Expect is what a scenario expects of a test. An empty field expects valid.
type Expect struct {
	Exclusion string `json:"exclusion,omitempty" yaml:"exclusion,omitempty"` // "valid", "invalid" or "any"
	Data      string `json:"data,omitempty" yaml:"data,omitempty"`           // "valid", "invalid" or "any"
}

// Verdicts is verdict.json.
type Verdicts struct {
	Format int           `json:"format"`
	Tests  []TestVerdict `json:"tests"`
}

// On finds the verdict on a test; nil: it was not judged.
func (v *Verdicts) On(test string) *TestVerdict {
	i := slices.IndexFunc(v.Tests, func(t TestVerdict) bool { return t.Test == test })
	if i < 0 {
		return nil
	}
	return &v.Tests[i]
}

// TestVerdict is the judgement of one test's history.
type TestVerdict struct {
	Test   string         `json:"test"`
	Result checker.Result `json:"result"`
	// Explanations are of the first incidents; Unexplained is how many more Result has.
	Explanations []explain.Explanation `json:"explanations,omitempty"`
	Unexplained  int                   `json:"unexplained,omitempty"`
}
