// Package report says what a run found: verdicts, tables and sentences about each lock. A format (report/formats
// lists them) writes that down. The package knows histories and verdicts, and nothing of locks, faults or servers.
package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report/measure"
)

// Model is everything that any format shows of a run.
type Model struct {
	Run results.Run
	// Dir is where the run lies; empty: not said.
	Dir string
	// Judged is false if the run ended before its histories were judged.
	Judged bool
	Tally  Tally
	// FaultPhases are the phases with a fault, in order.
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
	Latency, Contended, HandOff measure.Latency
	// UnderFault has one entry for each phase in which a fault was injected.
	UnderFault []PhaseLatency
	Proxies    ProxyPart
	// Behaviours has one entry for each of the model's FaultPhases.
	Behaviours []Behaviour
	// What the tables beside the comparison show; merged over the tests.
	Contention measure.Contention
	Deadlocks  measure.Deadlocks
	Leadership measure.Leadership
	Clocks     measure.Clocks
	Tests      []TestRow
	Tally      Tally

	fits []Fit
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
	Measured                  measure.Measurement
}

// NewModel builds the model. It is a pure function; measured holds what Measure said of each test with a history.
func NewModel(run results.Run, verdicts results.Verdicts, judged bool, measured map[string]measure.Measurement) *Model {
	m := &Model{Run: run, Judged: judged}
	m.FaultPhases = faultPhases(&run, measured)
	m.Rows = rows(run, verdicts, measured)
	for i := range m.Rows {
		m.Rows[i].fill(&m.Run, m.FaultPhases)
		m.Rows[i].Proxies = proxyPart(&m.Run, &m.Rows[i])
	}
	for i, a := range Answers([]*Model{m}) {
		m.Rows[i].fits = a.Fits
	}
	m.Tables = tables(m)
	m.Tally = tally(run, m.Rows)
	settings := run.Settings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		m.Settings = append(m.Settings, Setting{name, settings[name]})
	}
	m.Says, m.Reasons, m.Notes = says(m), reasons(m), notes(m)
	return m
}

// rows sorts the tests under their drivers.
func rows(run results.Run, verdicts results.Verdicts, measured map[string]measure.Measurement) []Row {
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
			all = append(all, results.Driver{
				Name: t.Driver, Title: t.Driver, Status: results.Incomplete, Reason: "run.json does not describe this driver",
			})
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
func faultPhases(run *results.Run, measured map[string]measure.Measurement) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, p := range run.Plan {
		if len(p.Faults) > 0 && slices.ContainsFunc(run.Tests, func(t results.Test) bool { return t.Phase(p.Name) != nil }) {
			add(p.Name)
		}
	}
	for _, t := range run.Tests {
		for _, p := range measured[t.Name].Phases {
			if p.HasFault() {
				add(p.Name)
			}
		}
	}
	return names
}

// fill answers the table's questions from the row's tests.
func (r *Row) fill(run *results.Run, phases []string) {
	r.Tally = r.tally()
	exclusion := func(t *TestRow) Finding { return t.Exclusion }
	data := func(t *TestRow) Finding { return t.Data }
	r.Heeding = r.Find(exclusion, Heeding)
	r.Ignoring = r.Find(exclusion, Ignoring)
	r.Unfenced = r.Find(data, Unfenced)
	r.Fenced = r.Find(data, Fenced)
	r.Liveness = r.Find(func(t *TestRow) Finding { return t.Liveness }, AnyTest)
	if r.Driver.Token == "" && r.Fenced.State != Invalid && r.Driver.Status != results.NotRun {
		r.Fenced = Finding{State: NotApplicable, Reason: noToken, NoToken: true}
	}
	r.mergeLatency()
	r.mergeTables()
	r.mergeUnderFault(run, phases)
	for _, name := range phases {
		b := r.behaviour(name)
		b.LongHolds = run.Shows(results.Leadership)
		r.Behaviours = append(r.Behaviours, b)
	}
}

// Nothing reports whether the driver came to nothing: one reason stands for the whole row.
func (r *Row) Nothing() bool {
	return r.Driver.Status == results.NotRun ||
		r.Driver.Status == results.Failed && !slices.ContainsFunc(r.Tests, func(t TestRow) bool { return t.Result != nil })
}

// noToken is why a lock without a token has no fenced test.
const noToken = "cannot be fenced: this lock issues no token"

// Count sums a count over the judged tests that pass; !ok: none was judged.
func (r *Row) Count(pass func(*TestRow) bool, of func(*TestRow) int) (n int, ok bool) {
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

// Workload says in a few words how much load there was and how long leases last, on which the times of the tables
// hang; empty: the run does not say.
func (m *Model) Workload() string {
	var all []string
	w := m.Run.Workload
	add := func(given bool, text string) {
		if given {
			all = append(all, text)
		}
	}
	add(w.TTL > 0, "TTL "+w.TTL.String())
	add(w.Clients > 0, units.Plural(w.Clients, "client"))
	add(w.Workers > 0, units.Plural(w.Workers, "worker")+" each")
	add(w.Locks > 0, units.Plural(w.Locks, "lock"))
	add(w.Hold.Max > 0 || w.Fencing != "", "held for "+w.Hold.String()) // every run of today says the latter
	add(w.AcquireTimeout > 0, "acquires time out after "+w.AcquireTimeout.String())
	return strings.Join(all, ", ")
}

// ServersAndTrips says what an acquire costs whatever the machine.
func (r *Row) ServersAndTrips() string { return Complexity(&r.Driver, "round trip") }

// Complexity has the round trips as the driver declares them, and as they were measured if that is another number.
func Complexity(d *results.Driver, trip string) string {
	text := units.Plural(d.Nodes, "server") + ", " + units.Plural(d.RoundTrips, trip)
	if n, ok := MeasuredTrips(d); ok && n != d.RoundTrips {
		text += fmt.Sprintf(", %d measured", n)
	}
	return text
}

// MeasuredTrips is how many round trips an acquire was measured to wait for; !ok: that was not measured.
func MeasuredTrips(d *results.Driver) (n int, ok bool) {
	m := d.RoundTripsMeasured
	if m == nil || m.Reason != "" {
		return 0, false
	}
	return m.N, true
}

// DriverNames are the names of the drivers in order. Runs with other drivers are not alike: drivers share the machine.
func DriverNames(r *results.Run) []string {
	var names []string
	for i := range r.Drivers {
		names = append(names, r.Drivers[i].Name)
	}
	slices.Sort(names)
	return names
}

// Proxies is "with" or "without".
func Proxies(r *results.Run) string {
	if r.Direct {
		return "without"
	}
	return "with"
}
