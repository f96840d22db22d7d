// Package progress tells what a run does while it does it. The run makes events, a Feed carries them, and a renderer
// shows them as plain lines, as JSON, or as messages above a status line.
package progress

import (
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
)

// Kind says what happened, and so which fields an event has; docs/progress.md lists them.
type Kind string

// The kinds.
const (
	PageServed      Kind = "page-served"      // URL
	RunStarted      Kind = "run-started"      // Run
	ClusterStarting Kind = "cluster-starting" // Driver
	ClusterReady    Kind = "cluster-ready"    // Driver, Version
	DriverOut       Kind = "driver-out"       // Driver, Status, Reason: it will not run
	ClustersReady   Kind = "clusters-ready"   // Clusters, Took
	TestStarted     Kind = "test-started"     // Driver, Test
	PhaseStarted    Kind = "phase-started"    // Driver, Test, Phase, Expected
	PhaseSkipped    Kind = "phase-skipped"    // Driver, Test, Phase, Status, Reason
	FaultInjected   Kind = "fault-struck"     // Driver, Test, Phase, Fault, Target, Injection
	FaultHealed     Kind = "fault-healed"     // as FaultInjected
	Violation       Kind = "violation"        // Driver, Test, Violation, Text: provisional
	Tick            Kind = "tick"             // Driver, Test, Phase, Counts
	PhaseEnded      Kind = "phase-ended"      // Driver, Test, Phase, Status, Took, Counts; Reason, if something did not come in time
	TestEnded       Kind = "test-ended"       // Driver, Test, Status, Reason
	Note            Kind = "note"             // Text; Driver and Test, if it is about one
	Judging         Kind = "judging"          // all ran, and the histories are judged
	RunEnded        Kind = "run-ended"        // Result
	SweepEnded      Kind = "sweep-ended"      // Results
	RoundsEnded     Kind = "rounds-ended"     // Dir, Results
	SeriesStarted   Kind = "series-started"   // Dir, Expected; Results, of what will not run
	SeriesEnded     Kind = "series-ended"     // Dir, Results
)

// Event is one thing that happened in a run. What a kind does not have is zero.
type Event struct {
	Kind   Kind           `json:"event"`
	Time   time.Time      `json:"time"`
	Driver string         `json:"driver,omitempty"`
	Test   string         `json:"test,omitempty"`
	Phase  string         `json:"phase,omitempty"`
	Status results.Status `json:"status,omitempty"`
	Reason string         `json:"reason,omitempty"`
	// Version is that of the servers.
	Version string `json:"version,omitempty"`
	// Fault is the name of a fault, and Target says in a few words whom it hit. Injection says it in fields; its step
	// names the injection within the test.
	Fault     string         `json:"fault,omitempty"`
	Target    string         `json:"target,omitempty"`
	Injection *history.Fault `json:"injection,omitempty"`
	Text      string         `json:"text,omitempty"`
	// Violation is one that was seen while the test goes on; Text tells it.
	Violation *checker.Violation `json:"violation,omitempty"`
	// Expected is an estimate of how long the phase, or the series, lasts; Took is how long something lasted.
	Expected time.Duration `json:"expected_ns,omitempty"`
	Took     time.Duration `json:"took_ns,omitempty"`
	Clusters *Clusters     `json:"clusters,omitempty"`
	Counts   *Counts       `json:"counts,omitempty"`
	Run      *Run          `json:"run,omitempty"`
	Result   *Result       `json:"result,omitempty"`
	Results  []Result      `json:"results,omitempty"`
	// URL is where the live page is, with its secret.
	URL string `json:"url,omitempty"`
	// Dir is the directory of all rounds, or of the series.
	Dir string `json:"dir,omitempty"`
}

// Run is what is about to run.
type Run struct {
	Scenario string `json:"scenario"`
	// Swept says which run of a sweep it is ("$.workload.ttl = 2s"); empty: there is no sweep.
	Swept string `json:"swept,omitempty"`
	// Round says which of several rounds it is; nil: there is only one.
	Round *results.Round `json:"round,omitempty"`
	// Place says which run of a series of scenarios it is; nil: it is of none.
	Place   *Place   `json:"series,omitempty"`
	Seed    uint64   `json:"seed"`
	Dir     string   `json:"dir"`
	Drivers []string `json:"drivers"`
	// Tests are those that have a meaning, in the order in which each driver runs them.
	Tests []Test `json:"tests"`
}

// Place is a run's among those of a series.
type Place struct {
	N  int `json:"n"`
	Of int `json:"of"`
	// Left is an estimate of how long the runs after this one take.
	Left time.Duration `json:"then_ns"`
}

// Test is one driver under one setting.
type Test struct {
	Name   string  `json:"name"`
	Driver string  `json:"driver"`
	Phases []Phase `json:"phases"`
}

// Phase is one of a test. Expected is an estimate. Alone: no other driver runs meanwhile.
type Phase struct {
	Name     string        `json:"name"`
	Alone    bool          `json:"alone,omitempty"`
	Expected time.Duration `json:"expected_ns"`
}

// Counts are of one phase of a test, from its begin to now, but for Incidents.
type Counts struct {
	Attempts int `json:"attempts"` // acquires invoked
	Grants   int `json:"grants"`   // of these
	// Rate is grants per second: since the tick before, or in all of a phase that ended.
	Rate float64 `json:"grants_per_s"`
	// P99 and Max are of the time to a grant, as in the tables. P99 is 0 below 100 grants, which are too few for it.
	P99 time.Duration `json:"acquire_p99_ns,omitempty"`
	Max time.Duration `json:"acquire_max_ns,omitempty"`
	// Incidents are those of the whole test that are known so far; nil: it is not judged yet, or only when it is over.
	Incidents *int `json:"incidents,omitempty"`
}

// Clusters counts those that serve, of those that the run wants.
type Clusters struct {
	Ready  int `json:"ready"`
	Wanted int `json:"wanted"`
}

// Result is how a run ended.
type Result struct {
	// Scenario is that of a run of a series.
	Scenario string `json:"scenario,omitempty"`
	// Kept is true if the run was there already when the series went on.
	Kept bool `json:"kept,omitempty"`
	// Swept and Round are the Run's.
	Swept string         `json:"swept,omitempty"`
	Round *results.Round `json:"round,omitempty"`
	// Dir is the run's directory; empty: none could be made.
	Dir   string    `json:"dir,omitempty"`
	Exit  int       `json:"exit"`
	Error string    `json:"error,omitempty"`
	Tests []Verdict `json:"tests"`
}

// Verdict is what is known of a test, in the words of the report: each of the three is valid, invalid, unknown, failed,
// not run or not applicable.
type Verdict struct {
	Test      string `json:"test"`
	Driver    string `json:"driver"`
	Exclusion string `json:"exclusion"`
	Data      string `json:"data"`
	Liveness  string `json:"liveness"`
	Incidents int    `json:"incidents"`
}
