// Package report turns a run and its verdicts into one table model, and renders that as text, CSV and HTML. It
// knows histories and verdicts, and nothing of locks, faults or servers.
package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/explain"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

// Model is everything that any format shows of a run.
type Model struct {
	Run results.Run
	// Dir is where the run lies; empty: not said.
	Dir string
	// Judged is false if the run ended before its histories were judged.
	Judged bool
	Tally  Tally
	// FaultPhases are the phases in which faults strike, in order.
	FaultPhases []string
	Rows        []Row // one per driver, in table order
	// Tables are shown beside the comparison.
	Tables   []Table
	Settings []Setting
	// Says is what the results mean, in whole sentences; Reasons are why cells do not say valid; Notes are how to
	// read the table.
	Says, Reasons, Notes []string
}

// Setting is one of the run's settings.
type Setting struct{ Name, Value string }

// Row is one driver.
type Row struct {
	Driver results.Driver
	// Heeding and Ignoring are the verdicts on mutual exclusion, with clients that stop when they learn that they
	// lost the lock and with clients that do not.
	Heeding, Ignoring Finding
	// Unfenced and Fenced are the verdicts on the data, by whether the resource checked tokens.
	Unfenced, Fenced Finding
	Liveness         Finding
	// Latency is uncontended; Contended and HandOff are the other kinds.
	Latency, Contended, HandOff Latency
	Proxies                     ProxyPart
	// Behaviours has one entry for each of the model's FaultPhases.
	Behaviours []Behaviour
	// What the tables beside the comparison show; merged over the tests.
	Contention Contention
	Deadlocks  Deadlocks
	Leadership Leadership
	Clocks     Clocks
	Tests      []TestRow
	Tally      Tally
}

// TestRow is one test of a driver.
type TestRow struct {
	results.Test
	// Result is nil if the test was not judged.
	Result *checker.Result
	// Explanations are of the first incidents.
	Explanations []explain.Explanation
	// Exclusion, Data and Liveness are the verdicts with what the scenario expects taken into account.
	Exclusion, Data, Liveness Finding
	Measured                  Measurement
}

// NewModel builds the model. It is a pure function; measured holds what Measure said of each test with a history.
func NewModel(run results.Run, verdicts results.Verdicts, judged bool, measured map[string]Measurement) *Model {
	m := &Model{Run: run, Judged: judged}
	m.FaultPhases = faultPhases(run.Tests, measured)
	m.Rows = rows(run, verdicts, measured)
	for i := range m.Rows {
		m.Rows[i].fill(m.FaultPhases, run.Shows(results.Leadership))
		m.Rows[i].Proxies = proxyPart(&m.Run, &m.Rows[i])
	}
	m.Tables = tables(m)
	m.Tally = tally(run, m.Rows)
	for _, name := range slices.Sorted(maps.Keys(run.Settings)) {
		m.Settings = append(m.Settings, Setting{name, run.Settings[name]})
	}
	m.Says, m.Reasons, m.Notes = says(m), reasons(m), notes(m)
	return m
}

// rows sorts the tests under their drivers.
func rows(run results.Run, verdicts results.Verdicts, measured map[string]Measurement) []Row {
	byTest := map[string]*results.TestVerdict{}
	for i := range verdicts.Tests {
		byTest[verdicts.Tests[i].Test] = &verdicts.Tests[i]
	}
	var all []Row
	for _, d := range driversOf(run) {
		row := Row{Driver: d}
		for _, t := range run.Tests {
			if t.Driver == d.Name {
				row.Tests = append(row.Tests, newTestRow(t, byTest[t.Name], measured[t.Name]))
			}
		}
		all = append(all, row)
	}
	return all
}

// driversOf lists the drivers, and those that only tests name: nothing that ran may go unseen.
func driversOf(run results.Run) []results.Driver {
	all := slices.Clone(run.Drivers)
	for _, t := range run.Tests {
		if !slices.ContainsFunc(all, func(d results.Driver) bool { return d.Name == t.Driver }) {
			all = append(all, results.Driver{Name: t.Driver, Title: t.Driver, Status: results.Incomplete, Reason: "the run does not describe this driver"})
		}
	}
	for i := range all {
		if all[i].Title == "" {
			all[i].Title = all[i].Name
		}
		if all[i].Status == "" {
			all[i].Status = results.Incomplete
		}
	}
	return all
}

// faultPhases lists the phases that are to have a fault in any test, also those that came to none, and those of
// histories that have one.
func faultPhases(tests []results.Test, measured map[string]Measurement) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, t := range tests {
		for _, p := range t.Phases {
			if p.Fault != "" {
				add(p.Name)
			}
		}
	}
	for _, t := range tests {
		for _, p := range measured[t.Name].Phases {
			if p.Struck() {
				add(p.Name)
			}
		}
	}
	return names
}

// fill answers the table's questions from the row's tests.
func (r *Row) fill(phases []string, longHolds bool) {
	r.Tally = r.tally()
	exclusion := func(t *TestRow) Finding { return t.Exclusion }
	data := func(t *TestRow) Finding { return t.Data }
	r.Heeding = r.find(exclusion, heeding)
	r.Ignoring = r.find(exclusion, ignoring)
	r.Unfenced = r.find(data, unfenced)
	r.Fenced = r.find(data, fenced)
	r.Liveness = r.find(func(t *TestRow) Finding { return t.Liveness }, anyTest)
	if r.Driver.Token == "" && r.Fenced.State != Invalid && r.Driver.Status != results.NotRun {
		r.Fenced = Finding{State: NotApplicable, Reason: cannotBeFenced}
	}
	r.mergeLatency()
	r.mergeTables()
	for _, name := range phases {
		b := r.behaviour(name)
		b.LongHolds = longHolds
		r.Behaviours = append(r.Behaviours, b)
	}
}

// nothing reports whether the driver came to nothing: one reason stands for the whole row.
func (r *Row) nothing() bool {
	return r.Driver.Status == results.NotRun ||
		r.Driver.Status == results.Failed && !slices.ContainsFunc(r.Tests, func(t TestRow) bool { return t.Result != nil })
}

// cannotBeFenced is why a lock without a token has no fenced test.
const cannotBeFenced = "cannot be fenced: this lock has no fencing token"

// count sums a count over the judged tests that pass; !ok: none was judged.
func (r *Row) count(pass func(*TestRow) bool, of func(*TestRow) int) (n int, ok bool) {
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Result != nil && pass(t) {
			n, ok = n+of(t), true
		}
	}
	return n, ok
}

// Duration is how long the run took; 0 and !ok: it never finished.
func (m *Model) Duration() (d time.Duration, ok bool) {
	d = m.Run.Finished.Sub(m.Run.Started)
	if m.Run.Finished.IsZero() || d < 0 { // the clock of the host may have been set back
		return 0, false
	}
	return d, true
}

// Workload says in a few words how much load there was and how long leases last, on which the times of the tables hang; empty:
// the run does not say.
func (m *Model) Workload() string {
	var all []string
	add := func(before, name string) {
		if value := m.Run.Settings[name]; value != "" {
			all = append(all, before+value)
		}
	}
	add("TTL ", "ttl")
	for _, n := range []struct{ name, noun, of string }{{"clients", "client", ""}, {"workers", "worker", " each"}, {"locks", "lock", ""}} {
		if v, err := strconv.Atoi(m.Run.Settings[n.name]); err == nil {
			all = append(all, units.Plural(v, n.noun)+n.of)
		}
	}
	add("held for ", "hold")
	add("acquires time out after ", "acquire-timeout")
	return strings.Join(all, ", ")
}

// ServersAndTrips says what an acquire costs whatever the machine.
func (r *Row) ServersAndTrips() string { return complexity(&r.Driver, "round trip") }

// complexity has the round trips as the driver declares them, and as they were measured if that is another number.
func complexity(d *results.Driver, trip string) string {
	text := units.Plural(d.Nodes, "server") + ", " + units.Plural(d.RoundTrips, trip)
	if n, ok := measuredTrips(d); ok && n != d.RoundTrips {
		text += fmt.Sprintf(", %d measured", n)
	}
	return text
}

// measuredTrips is how many round trips an acquire was measured to wait for; !ok: that was not measured.
func measuredTrips(d *results.Driver) (n int, ok bool) {
	m := d.RoundTripsMeasured
	if m == nil || m.Reason != "" {
		return 0, false
	}
	return m.N, true
}
