package report

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report/measure"
)

// PhaseLatency is the latency of the acquires that began to wait while the fault of a phase was in force, over all
// tests of a driver.
type PhaseLatency struct {
	Phase  string
	number int // among the phases with faults, from 1
	measure.Latency
	// InForce is for how long the fault was in force at most, in one of the tests.
	InForce InForce
}

// InForce is for how long a fault was in force, beside how long its phase was to last.
type InForce struct {
	Took measure.Span
	// Asked is what the scenario says of the phase: how long it lasts at least after its last fault was injected.
	// 0: it does not say.
	Asked time.Duration
}

// String is "3.07 s (asked 3.00 s)".
func (f InForce) String() string {
	if f.Asked == 0 {
		return f.Took.String()
	}
	return fmt.Sprintf("%s (asked %s)", f.Took, units.Duration(f.Asked))
}

// underFaultPrefix begins the kind of latency under a fault, in the names of files; the phase follows.
const underFaultPrefix = "under-fault."

// Kind names the latency in files. A phase whose name is none for a file goes by its number.
func (l *PhaseLatency) Kind() string {
	if NamesFiles(l.Phase) {
		return underFaultPrefix + l.Phase
	}
	return fmt.Sprintf("%s%d", underFaultPrefix, l.number)
}

// NamesFiles reports whether the name of a phase can be a part of a file's name.
func NamesFiles(phase string) bool { return fileName.MatchString(phase) }

var fileName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,99}$`)

// mergeUnderFault merges what the row's tests measured under the faults of the phases.
func (r *Row) mergeUnderFault(run *results.Run, phases []string) {
	for n, name := range phases {
		l := PhaseLatency{Phase: name, number: n + 1, InForce: InForce{Asked: run.Planned(name).For}}
		for i := range r.Tests {
			m := &r.Tests[i].Measured
			if k := slices.IndexFunc(m.Phases, func(p measure.Phase) bool { return p.Name == name && p.HasFault() }); k >= 0 {
				l.Merge(m.Phases[k].UnderFault)
				l.InForce.Took = l.InForce.Took.Longer(measure.SpanOf(m.Phases[k].Until - m.Phases[k].From))
			}
		}
		if l.InForce.Took.Measured {
			r.UnderFault = append(r.UnderFault, l)
		}
	}
}

var underFaultTable = Table{
	ID: latencyTables + "under-fault", Title: "Latency under faults",
	About: "Time to the grant of acquires that began to wait while a fault was in force, however late they were granted; in " +
		"an open loop, from when they were due. In force: from the first injection to the first heal, the longest of the " +
		"tests. It may be longer than asked, until enough has happened, or shorter, if a fault has a time of its own.",
	Numbers: true,
	Columns: []string{"In force", "p50", "p90", "p99", "max", "Samples", "Not granted"},
}

// underFaults is the table with a line for each driver and phase.
func underFaults(m *Model) Table {
	t := underFaultTable
	for i := range m.Rows {
		r := &m.Rows[i]
		for k := range r.UnderFault {
			l := &r.UnderFault[k]
			line := Line{Driver: r.Driver, Under: l.Phase}
			for _, v := range []Value{
				l.InForce, l.Quantile(0.5), l.Quantile(0.9), l.Quantile(0.99), l.Max(), Number(l.Samples), Number(l.NotGranted),
			} {
				line.Cells = append(line.Cells, CellOf(v))
			}
			t.Lines = append(t.Lines, line)
		}
		switch {
		case len(r.UnderFault) > 0:
		case r.Nothing():
			t.Lines = append(t.Lines, Line{Driver: r.Driver, Reason: string(r.Driver.Status)})
		default:
			t.Lines = append(t.Lines, Line{Driver: r.Driver, Reason: "no fault was injected"})
		}
	}
	return t
}
