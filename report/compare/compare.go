package compare

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
)

// Comparison is two runs, or two sets of rounds, side by side: A, and B against it.
type Comparison struct {
	A, B *Rounds
	Rows []ComparedRow // A's drivers, then those that only B has
}

// ComparedRow is one driver. A side that does not have it is nil.
type ComparedRow struct {
	Driver results.Driver
	A, B   *RoundsRow
}

// New puts two sets side by side; the error says why one of them is not rounds of the same.
func New(a, b *Set) (*Comparison, error) {
	ra, errA := NewRounds(a)
	rb, errB := NewRounds(b)
	if err := errors.Join(errA, errB); err != nil {
		return nil, err
	}
	c := &Comparison{A: ra, B: rb}
	for i := range ra.Rows {
		c.Rows = append(c.Rows, ComparedRow{Driver: ra.Rows[i].Driver, A: &ra.Rows[i]})
	}
	for i := range rb.Rows {
		row := &rb.Rows[i]
		if at := slices.IndexFunc(c.Rows, func(o ComparedRow) bool { return o.Driver.Name == row.Driver.Name }); at >= 0 {
			c.Rows[at].B = row
		} else {
			c.Rows = append(c.Rows, ComparedRow{Driver: row.Driver, B: row})
		}
	}
	return c, nil
}

// Document is what the comparison says.
func (c *Comparison) Document() *report.Document {
	d := &report.Summary{
		Title: "B against A",
		Lead:  []string{"A: " + c.A.describe(), "B: " + c.B.describe()},
		Tables: []report.Table{
			tableOf("safety", "Safety", questionTitles(), c.Rows, (*ComparedRow).safetyLine),
			tableOf("latency", "Latency", latencyTable(), c.Rows, (*ComparedRow).latencyLine),
		},
	}
	d.Sides = []string{"a", "b"}
	for i := range c.Rows {
		d.Figures = append(d.Figures, figuresOf(c.Rows[i].Driver.Name, c.Rows[i].A, c.Rows[i].B)...)
	}
	d.Says = c.says()
	d.Add("What differs", c.differs())
	d.Add("What differs between the rounds of A", c.A.differs())
	d.Add("What differs between the rounds of B", c.B.differs())
	d.Add("What is missing in A, and why", c.A.reasons())
	d.Add("What is missing in B, and why", c.B.reasons())
	notes := c.A.notesOf(c.B)
	if n := c.compared(); n > 0 {
		notes = append(notes, "Slower and faster compare medians. The report says so only if the intervals do "+
			"not overlap. Overlapping intervals do not prove that the sides are equal.",
			fmt.Sprintf("The report compared %s. If both sides are equal, with five rounds each on a stable "+
				"machine, 0.8 %% of the intervals lie apart by chance. "+
				"On a machine that drifts, more do. To be sure, run both again in the other order.", units.Plural(n, "percentile")))
	}
	d.Add("How to read it", notes)
	return &report.Document{Summary: d}
}

// describe says which runs one side is.
func (r *Rounds) describe() string {
	first, noun := &r.Set.Runs[0].Run, "round"
	if len(r.Set.Runs) == 1 {
		noun = "run"
	}
	return fmt.Sprintf("%s: %s of %s, lockbench %s, %s", r.Set.Path, units.Plural(len(r.Set.Runs), noun), first.Subject(),
		cmp.Or(first.Version, "of unknown version"), first.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
}

func (r *ComparedRow) safetyLine() report.Line {
	line := report.Line{Driver: r.Driver, Reason: r.incomparable(), Under: report.Complexity(&r.Driver, "trip")}
	if line.Reason == "" {
		line.Cells = r.safetyCells()
	}
	return line
}

func (r *ComparedRow) latencyLine() report.Line {
	line := report.Line{Driver: r.Driver, Reason: r.incomparable()}
	if line.Reason == "" {
		line.Cells = r.latencyCells()
	}
	return line
}

// incomparable is why there is nothing to compare; empty: there is.
func (r *ComparedRow) incomparable() string {
	switch {
	case r.A == nil:
		return "only in B"
	case r.B == nil:
		return "only in A"
	}
	a, b := r.A.nothing(), r.B.nothing()
	switch {
	case a == b:
		return a
	case a == "":
		return "B " + b
	case b == "":
		return "A " + a
	default:
		return "A " + a + ", B " + b
	}
}

func (r *ComparedRow) safetyCells() []report.Cell {
	var cells []report.Cell
	for _, q := range report.Questions() {
		a, b := r.A.ask(q), r.B.ask(q)
		if !a.asked() && !b.asked() {
			cells = append(cells, a.cell())
			continue
		}
		both := append(sided("A", a.cell()), sided("B", b.cell())...)
		if change := changeOf(a, b); change != "" {
			both = append(both, report.CellLine{Value: report.Words(change)})
		}
		cells = append(cells, both)
	}
	return cells
}

// sided puts the side's name before a cell.
func sided(side string, c report.Cell) report.Cell {
	for i := range c {
		if i == 0 {
			c[i].Label = side
		} else {
			c[i].Label = " " // under the one before
		}
	}
	return c
}

// changeOf says what changed from one side's answers to the other's; empty: nothing that is known.
func changeOf(a, b answers) string {
	switch {
	case !a.asked() || !b.asked():
		return ""
	case a.states[report.Invalid]+b.states[report.Invalid] == 0 && a.states[report.Valid] > 0 && b.states[report.Valid] == 0:
		return "valid in A, unknown in B"
	case a.states[report.Invalid]+b.states[report.Invalid] == 0 && b.states[report.Valid] > 0 && a.states[report.Valid] == 0:
		return "valid in B, unknown in A"
	case a.states[report.Invalid] == 0 && b.states[report.Invalid] > 0:
		return a.onlyIn("B", "A")
	case a.states[report.Invalid] > 0 && b.states[report.Invalid] == 0:
		return b.onlyIn("A", "B")
	case a.states[report.Invalid] == 0:
		return ""
	}
	switch compareTo(a.incidents, b.incidents) {
	case below:
		return "fewer incidents in B"
	case above:
		return "more incidents in B"
	case tooFewRounds, intervalsOverlap:
	}
	return ""
}

// onlyIn says that one side has violations and this one, the other, has none; or that nobody knows whether it has.
func (a answers) onlyIn(side, other string) string {
	if a.states[report.Valid] == 0 {
		return "violations in " + side + ", unknown in " + other
	}
	return "violations only in " + side
}

func (r *ComparedRow) latencyCells() []report.Cell {
	var cells []report.Cell
	for _, k := range latencyKinds() {
		var cell report.Cell
		for _, f := range comparedFigures(k) {
			a, b := r.A.measure(f), r.B.measure(f)
			if a.Rounds+b.Rounds == 0 {
				continue
			}
			cell = append(cell, report.CellLine{Label: "A " + f.stat, Value: latency{a, len(r.A.Rounds)}}, report.CellLine{Label: "B " + f.stat, Value: latency{b, len(r.B.Rounds)}})
			if verdict := verdictOnLatency(a, b); verdict != "" {
				cell = append(cell, report.CellLine{Value: report.Words(verdict)})
			}
		}
		cells = append(cells, orWhy(cell, r.A, k))
	}
	return cells
}

// comparedFigures are those of a kind on which there is a verdict.
func comparedFigures(k latencyKind) []figure {
	return slices.DeleteFunc(figures(), func(f figure) bool { return f.kind != k.kind || !f.compared })
}

// verdictOnLatency says how the latency of B lies to that of A; empty: there are too few rounds to tell.
func verdictOnLatency(a, b report.Estimate) string {
	switch compareTo(a, b) {
	case below:
		return "B is " + units.Percent(1-b.Median/a.Median) + " faster"
	case above:
		return "B is " + units.Percent(b.Median/a.Median-1) + " slower"
	case intervalsOverlap:
		return "no difference seen"
	case tooFewRounds:
	}
	return ""
}

// differs lists in what the sides differ beside what was measured.
func (c *Comparison) differs() []string {
	a, b := &c.A.Set.Runs[0].Run, &c.B.Set.Runs[0].Run
	return append(differences(a, b), surroundings(a, b)...)
}
