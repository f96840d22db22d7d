package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

// Table is a table beside the comparison, with a line for each driver.
type Table struct {
	ID    results.Table
	Title string
	// About says what the columns hold.
	About   string
	Columns []string // beside the first, which names the driver
	// Numbers says that every cell is one number, so that a column is to be read from top to bottom.
	Numbers bool
	Lines   []Line
}

// Line is one driver.
type Line struct {
	Driver results.Driver
	// Complexity is how many servers and round trips the lock takes; empty: another table says.
	Complexity string
	// Cells has one entry for each column. None: nothing was measured, and Reason says why.
	Cells  []Cell
	Reason string
}

// Cell is what a cell shows, of one or more lines.
type Cell []CellLine

// CellLine is one line of a cell.
type CellLine struct {
	// State is what the line says of a question; empty: it is no answer.
	State State
	Text  string
}

// cell makes a cell of lines that are no answers.
func cell(lines ...string) Cell {
	c := make(Cell, len(lines))
	for i, text := range lines {
		c[i].Text = text
	}
	return c
}

// texts are the lines without what they mean.
func (c Cell) texts() []string {
	all := make([]string, len(c))
	for i, l := range c {
		all[i] = l.Text
	}
	return all
}

// noTables says why the tables show nothing of a history.
func (m *Measurement) noTables(why string) {
	m.Contended.Reason, m.HandOff.Reason = why, why
	m.Contention.Reason, m.Deadlocks.Reason, m.Leadership.Reason, m.Clocks.Reason = why, why, why, why
}

// measureTables measures the latency where workers meet, and what else the run's tables show of one history.
func (m *Measurement) measureTables(run *results.Run, test *results.Test, ops []history.Op, holds []checker.Hold) (err error) {
	shared, err := share(m.Phases, ops, holds, workersOf(run), fairPhases(run, test.Driver))
	if err != nil {
		return fmt.Errorf("measure the contention: %w", err)
	}
	m.Contended, m.HandOff = shared.contended, shared.handOff
	if m.Contended.Reason == noContention && m.lacksCalm(test) {
		m.Contended.Reason, m.HandOff.Reason = notReached, notReached
	}
	if run.Shows(results.Contention) {
		m.Contention = shared.Contention
	}
	if run.Shows(results.Deadlocks) {
		if m.Deadlocks, err = deadlocks(ops, holds); err != nil {
			return fmt.Errorf("measure the deadlocks: %w", err)
		}
	}
	if run.Shows(results.Leadership) {
		m.Leadership = leadership(m.Phases, holds)
	}
	if run.Shows(results.Clocks) {
		m.Clocks = clocks(ops, m.Phases, holds)
	}
	return nil
}

// lacksCalm reports whether the history ends before a phase that is to have no fault, and in which workers may meet.
func (m *Measurement) lacksCalm(test *results.Test) bool {
	return slices.ContainsFunc(test.Phases, func(p results.Phase) bool {
		return p.Fault == "" && !p.Latency && !slices.ContainsFunc(m.Phases, func(o PhaseMeasure) bool { return o.Name == p.Name })
	})
}

// workersOf is how many workers all clients of a run have, 0 if it does not say.
func workersOf(run *results.Run) int64 {
	clients, _ := strconv.ParseInt(run.Settings["clients"], 10, 32)
	workers, _ := strconv.ParseInt(run.Settings["workers"], 10, 32)
	return max(0, clients*workers)
}

// mergeTables merges what the row's tests measured.
func (r *Row) mergeTables() {
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Status != results.NotApplicable {
			r.Contention.merge(t.Measured.Contention)
			r.Deadlocks.merge(t.Measured.Deadlocks)
			r.Leadership.merge(t.Measured.Leadership)
			r.Clocks.merge(t.Measured.Clocks)
		}
	}
}

// tables builds the tables from the rows: those of the latency, and those of the run.
func tables(m *Model) []Table {
	if len(m.Rows) == 0 {
		return nil
	}
	var all []Table
	sideBySide := slices.ContainsFunc(m.Rows, func(r Row) bool { return len(fairPhases(&m.Run, r.Driver.Name)) == 0 && r.Contended.Samples > 0 })
	for _, k := range Kinds() {
		t := k.table()
		if k == Contended && sideBySide {
			t.About += " Locks were under test side by side, and slowed each other."
		}
		all = append(all, t.of(m, func(r *Row) ([]Cell, string) { return r.latencyCells(k) }))
	}
	for _, t := range []struct {
		Table
		cells func(*Row) (cells []Cell, reason string)
	}{
		{contentionTable, (*Row).contentionCells}, {deadlocksTable, (*Row).deadlocksCells}, {leadershipTable, (*Row).leadershipCells},
		{clocksTable, (*Row).clocksCells},
	} {
		if m.Run.Shows(t.ID) {
			all = append(all, t.of(m, t.cells))
		}
	}
	return all
}

// of is the table with a line for each row of the model.
func (t Table) of(m *Model, cells func(*Row) (cells []Cell, reason string)) Table {
	for i := range m.Rows {
		r := &m.Rows[i]
		line := Line{Driver: r.Driver}
		if r.nothing() {
			line.Reason = string(r.Driver.Status) // the comparison says why
		} else if line.Cells, line.Reason = cells(r); line.Reason == "" && len(line.Cells) == 0 {
			line.Reason = noHistory
		}
		t.Lines = append(t.Lines, line)
	}
	return t
}

// percent writes a part of one with three significant digits.
func percent(part float64) string { return units.Number(100*part) + " %" }

var contentionTable = Table{
	ID: results.Contention, Title: "Contention",
	About: "In the phases without a fault in which several workers ask for a lock. Share: of all grants, that of the worker " +
		"with the most and of the worker with the fewest; fair would be the same for all. Nobody holds: the part of the time in " +
		"which the lock is free though somebody is waiting, and the longest such time; both from the first grant on.",
	Columns: []string{"Grants", "Share", "Nobody holds"},
}

func (r *Row) contentionCells() ([]Cell, string) {
	c := &r.Contention
	if c.Workers == 0 {
		return nil, c.Reason
	}
	return []Cell{
		cell(units.Plural(c.Grants, "grant"), fmt.Sprintf("%d not granted", c.NotGranted), units.Plural(c.Workers, "worker")),
		cell("luckiest "+percent(c.Luckiest), "unluckiest "+percent(c.Unluckiest), "fair "+percent(1/float64(c.Workers))),
		cell(percent(c.IdleShare()), "longest "+units.Duration(c.LongestIdle)),
	}, ""
}

var deadlocksTable = Table{
	ID: results.Deadlocks, Title: "Deadlocks",
	About: "Cycles of workers, each of which holds a lock that the one before waits for. Lasted: from the call that closed the " +
		"cycle to the first of its acquires that ended. Ended by the server: it refused one of them and said why; by the " +
		"client: its time-out passed.",
	Columns: []string{"Deadlocks", "Ended by", "Lasted"},
}

func (r *Row) deadlocksCells() ([]Cell, string) {
	d := &r.Deadlocks
	if !d.Measured {
		return nil, d.Reason
	}
	if d.Count == 0 {
		return []Cell{cell("0"), cell(dash), cell(dash)}, ""
	}
	var by []string
	for _, e := range []struct {
		n   int
		who string
	}{{d.Server, "server"}, {d.TimedOut, "time-out of the client"}, {d.Otherwise, "something else"}, {d.Open, "nothing: still there at the end"}} {
		if e.n > 0 {
			by = append(by, fmt.Sprintf("%s ×%d", e.who, e.n))
		}
	}
	lasted := cell("p50 "+d.Lasted.Quantile(0.5).String(), "max "+d.Lasted.Max().String())
	return []Cell{cell(strconv.Itoa(d.Count)), cell(by...), lasted}, ""
}

var leadershipTable = Table{
	ID: results.Leadership, Title: "Leadership",
	About: "Whoever holds the lock leads, until it gives the lock up or dies: also while it stands still or is cut off. Nobody " +
		"leads: the longest time without a holder since the first grant, faults included. Two lead: how often a second one came, and " +
		"the longest time with two. Next leader: from when the fault is in place until somebody else is granted the lock.",
	Columns: []string{"Nobody leads", "Two lead", "Next leader"},
}

func (r *Row) leadershipCells() ([]Cell, string) {
	l := &r.Leadership
	if l.Leaders == 0 {
		return nil, l.Reason
	}
	two := cell(dash)
	if n, ok := r.count(anyTest, func(t *TestRow) int { return t.Result.Counts.Overlap }); ok && n > 0 {
		two = cell(fmt.Sprintf("×%d", n), "longest "+l.Both.String())
	} else if ok {
		two = cell("never")
	}
	var next []string
	for _, s := range l.Successions {
		if s.After.Measured {
			next = append(next, s.Phase+": "+s.After.String())
		} else {
			next = append(next, s.Phase+": none")
		}
	}
	return []Cell{cell(l.Nobody.String()), two, cell(next...)}, ""
}

var clocksTable = Table{
	ID: results.Clocks, Title: "Clocks",
	About: "Wall clocks of servers or clients were moved; monotonic clocks went on. Lost: of the locks that were held at any time " +
		"from then to the end of the phase, those to which a second holder came. Summed over the tests.",
	Columns: []string{"Moved", "Locks lost", "Finding"},
}

func (r *Row) clocksCells() ([]Cell, string) {
	if len(r.Clocks.Phases) == 0 {
		return nil, r.Clocks.Reason
	}
	var moved, lost []string
	for _, p := range r.Clocks.Phases {
		moved = append(moved, p.Phase+": "+strings.Join(p.Moved, ", "))
		lost = append(lost, fmt.Sprintf("%s: %d of %d", p.Phase, p.Lost, p.Used))
	}
	finding := "moved clocks took no lock from its holder"
	if n, all := r.Clocks.total(); n == 0 {
		finding = "no lock was held while clocks were off"
	} else if all > 0 {
		finding = "whether it excludes hangs on wall clocks"
	}
	return []Cell{cell(moved...), cell(lost...), cell(finding)}, ""
}
