package report

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report/measure"
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
	// Under stands under the driver's name: how many servers and round trips the lock takes, or a phase; it may be empty.
	Under string
	// Cells has one entry for each column. None: nothing was measured, and Reason says why.
	Cells  []Cell
	Reason string
}

// mergeTables merges what the row's tests measured.
func (r *Row) mergeTables() {
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Status != results.NotApplicable {
			r.Contention.Merge(t.Measured.Contention)
			r.Deadlocks.Merge(t.Measured.Deadlocks)
			r.Leadership.Merge(t.Measured.Leadership)
			r.Clocks.Merge(t.Measured.Clocks)
		}
	}
}

// tables builds the tables from the rows: those of the latency, and those of the run.
func tables(m *Model) []Table {
	if len(m.Rows) == 0 {
		return nil
	}
	var all []Table
	sideBySide := slices.ContainsFunc(m.Rows, func(r Row) bool {
		return len(measure.FairPhases(&m.Run, r.Driver.Name)) == 0 && r.Contended.Samples > 0
	})
	if slices.ContainsFunc(m.Rows, func(r Row) bool { return r.harmed() }) {
		all = append(all, severityTable.of(m, (*Row).severityCells))
	}
	for _, k := range Kinds() {
		t := k.table()
		if k == Contended && sideBySide {
			t.About += " The locks were tested side by side and slowed each other."
		}
		all = append(all, t.of(m, func(r *Row) ([]Cell, string) { return r.latencyCells(k) }))
	}
	if len(m.FaultPhases) > 0 {
		all = append(all, underFaults(m))
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
		if r.Nothing() {
			line.Reason = string(r.Driver.Status) // the comparison says why
		} else if line.Cells, line.Reason = cells(r); line.Reason == "" && len(line.Cells) == 0 {
			line.Reason = noHistory
		}
		t.Lines = append(t.Lines, line)
	}
	return t
}

var contentionTable = Table{
	ID: results.Contention, Title: "Contention",
	About: "Phases without a fault in which several workers request a lock. Share: the part of all grants that " +
		"went to the luckiest " +
		"and to the unluckiest worker. Nobody holds: the part of the time in which the lock was free while " +
		"somebody waited, and the " +
		"longest such time, counted from the first grant.",
	Columns: []string{"Grants", "Share", "Nobody holds"},
}

func (r *Row) contentionCells() ([]Cell, string) {
	c := &r.Contention
	if c.Workers == 0 {
		return nil, c.Reason
	}
	return []Cell{
		{
			{Value: Things{c.Grants, "grant"}}, {Label: strconv.Itoa(c.NotGranted), Value: Words("not granted")},
			{Value: Things{c.Workers, "worker"}},
		},
		{
			{Label: "luckiest", Value: Share(c.Luckiest)}, {Label: "unluckiest", Value: Share(c.Unluckiest)},
			{Label: "fair", Value: Share(1 / float64(c.Workers))},
		},
		{{Value: Share(c.IdleShare())}, {Label: "longest", Value: measure.SpanOf(int64(c.LongestIdle))}},
	}, ""
}

var deadlocksTable = Table{
	ID: results.Deadlocks, Title: "Deadlocks",
	About: "A deadlock is a cycle of workers: each waits for a lock that the next one holds. Lasted: from the " +
		"call that closed the " +
		"cycle until one of its acquires ended. Ended by the server: it refused one acquire and reported a " +
		"deadlock. Ended by the " +
		"client: its time-out passed.",
	Columns: []string{"Deadlocks", "Ended by", "Lasted"},
}

func (r *Row) deadlocksCells() ([]Cell, string) {
	d := &r.Deadlocks
	if !d.Measured {
		return nil, d.Reason
	}
	if d.Count == 0 {
		return []Cell{CellOf(Number(0)), CellOf(notMeasured), CellOf(notMeasured)}, ""
	}
	var by Cell
	for _, e := range []struct {
		n   int
		who string
	}{{d.Server, "server"}, {d.TimedOut, "client time-out"}, {d.Otherwise, "something else"}, {d.Open, "nothing: it lasted to the end"}} {
		if e.n > 0 {
			by = append(by, CellLine{Label: e.who, Value: Times(e.n)})
		}
	}
	lasted := Cell{{Label: "p50", Value: d.Lasted.Quantile(0.5)}, {Label: "max", Value: d.Lasted.Max()}}
	return []Cell{CellOf(Number(d.Count)), by, lasted}, ""
}

var leadershipTable = Table{
	ID: results.Leadership, Title: "Leadership",
	About: "The holder of the lock leads until it releases the lock or dies, also while it is paused or cut " +
		"off. Nobody leads: the " +
		"longest time without a holder after the first grant, faults included. Two lead: how often a second " +
		"leader came, and the " +
		"longest time with two. Next leader: from the start of the fault until another process gets the lock.",
	Columns: []string{"Nobody leads", "Two lead", "Next leader"},
}

func (r *Row) leadershipCells() ([]Cell, string) {
	l := &r.Leadership
	if l.Leaders == 0 {
		return nil, l.Reason
	}
	two := CellOf(notMeasured)
	if n, ok := r.Count(AnyTest, func(t *TestRow) int { return t.Result.Counts.Overlap }); ok && n > 0 {
		two = Cell{{Value: Times(n)}, {Label: "longest", Value: l.Both}}
	} else if ok {
		two = CellOf(Words("never"))
	}
	var next Cell
	for _, s := range l.Successions {
		line := CellLine{Label: s.Phase + ":", Value: Words("none")}
		if s.After.Measured {
			line.Value = s.After
		}
		next = append(next, line)
	}
	return []Cell{CellOf(l.Nobody), two, next}, ""
}

var clocksTable = Table{
	ID: results.Clocks, Title: "Clocks",
	About: "The run moved wall clocks of servers or clients; monotonic clocks went on. Locks lost: how many of " +
		"the locks that were held " +
		"after the move got a second holder before the phase ended. Summed over the tests.",
	Columns: []string{"Moved", "Locks lost", "Finding"},
}

func (r *Row) clocksCells() ([]Cell, string) {
	if len(r.Clocks.Phases) == 0 {
		return nil, r.Clocks.Reason
	}
	var moved, lost Cell
	for _, p := range r.Clocks.Phases {
		moved = append(moved, CellLine{Label: p.Phase + ":", Value: Words(strings.Join(p.Moved, ", "))})
		lost = append(lost, CellLine{Label: p.Phase + ":", Value: Part{p.Lost, p.Used}})
	}
	finding := Words("no lock was lost")
	if n, all := r.Clocks.Total(); n == 0 {
		finding = "no lock was held after the move"
	} else if all > 0 {
		finding = "exclusion depends on wall clocks"
	}
	return []Cell{moved, lost, CellOf(finding)}, ""
}
