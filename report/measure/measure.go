package measure

import (
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

// Measurement is what one test's history says beside its verdict.
type Measurement struct {
	// Latency is uncontended; Contended and HandOff are the other kinds.
	Latency, Contended, HandOff Latency
	Phases                      []Phase // in the order of the history
	// Struck is what the faults did to holders; all false of a history that is damaged or malformed.
	Struck Struck
	// What the run's tables show; each is measured only if the run has its table.
	Contention Contention
	Deadlocks  Deadlocks
	Leadership Leadership
	Clocks     Clocks
	Timeline   Timeline
	// Seconds are in the order of their times.
	Seconds []Second
	// Scenes are what was held around the incidents that a report tells, by their places among all.
	Scenes map[int]Scene
	// Begin is the time of the first line: times are shown from there.
	Begin int64
}

const noLines = "the history is empty"

// noTables says why the tables show nothing of a history.
func (m *Measurement) noTables(why string) {
	m.Contended.Reason, m.HandOff.Reason = why, why
	m.Contention.Reason, m.Deadlocks.Reason, m.Leadership.Reason, m.Clocks.Reason = why, why, why, why
}

// Damaged is the measurement of a history with a line that cannot be read.
func Damaged(line *history.LineError) Measurement {
	var m Measurement
	why := "the history is damaged: " + line.Error()
	m.Latency.Reason = why
	m.noTables(why)
	return m
}

// workersOf is how many workers all clients of a run have, 0 if it does not say.
func workersOf(run *results.Run) int64 {
	return max(0, int64(run.Workload.Clients)*int64(run.Workload.Workers))
}

// Since writes a time of the history as the time since its first line.
func (m Measurement) Since(ns int64) string { return units.Duration(time.Duration(ns - m.Begin)) }

// Took writes the time between two times of a history.
func (m Measurement) Took(begin, end int64) string { return units.Duration(time.Duration(end - begin)) }

// Duration is how long the history is.
func (m *Measurement) Duration() time.Duration {
	if len(m.Phases) == 0 {
		return 0
	}
	return time.Duration(max(0, m.Phases[len(m.Phases)-1].End-m.Begin))
}
