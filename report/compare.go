package report

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
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

// Compare puts two sets side by side; the error says why one of them is not rounds of the same.
func Compare(a, b *Set) (*Comparison, error) {
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

// Document lays the comparison out.
func (c *Comparison) Document() *Document {
	d := &Document{
		Title: "B against A",
		Lead:  []string{"A: " + c.A.describe(), "B: " + c.B.describe()},
		Tables: []Table{
			tableOf("safety", "Safety", questionsTable(), c.Rows, (*ComparedRow).safetyLine),
			tableOf("latency", "Latency", latencyTable(), c.Rows, (*ComparedRow).latencyLine),
		},
	}
	d.Sides = []string{"a", "b"}
	for i := range c.Rows {
		d.Figures = append(d.Figures, figuresOf(c.Rows[i].Driver.Name, c.Rows[i].A, c.Rows[i].B)...)
	}
	d.Says = c.says()
	d.section("What differs", c.differs())
	d.section("What differs between the rounds of A", c.A.differs())
	d.section("What differs between the rounds of B", c.B.differs())
	d.section("What is missing in A, and why", c.A.reasons())
	d.section("What is missing in B, and why", c.B.reasons())
	notes := c.A.notesOf(c.B)
	if n := c.compared(); n > 0 {
		notes = append(notes, "Slower and faster are said only where the intervals do not overlap; they compare the medians. Where intervals overlap nothing was seen, which does not prove that there is nothing.",
			fmt.Sprintf("%s were compared. Of two sides that are the same, with five rounds each on a machine that does not change meanwhile, the intervals of 0.8 %% lie apart by chance; "+
				"of a machine that drifts, more. To be sure, run both again, the other first.", units.Plural(n, "percentile")))
	}
	d.section("How to read it", notes)
	return d
}

// describe says which runs one side is.
func (r *Rounds) describe() string {
	first, noun := &r.Set.Runs[0].Run, "round"
	if len(r.Set.Runs) == 1 {
		noun = "run"
	}
	return fmt.Sprintf("%s: %s of %s, lockbench %s, %s", r.Set.Path, units.Plural(len(r.Set.Runs), noun), first.Subject(),
		orElse(first.Version, "of unknown version"), first.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
}

func (r *ComparedRow) safetyLine() Line {
	line := Line{Driver: r.Driver, Reason: r.incomparable(), Complexity: complexity(&r.Driver, "trip")}
	if line.Reason == "" {
		line.Cells = r.safetyCells()
	}
	return line
}

func (r *ComparedRow) latencyLine() Line {
	line := Line{Driver: r.Driver, Reason: r.incomparable()}
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

func (r *ComparedRow) safetyCells() []Cell {
	var cells []Cell
	for _, q := range questions() {
		a, b := r.A.ask(q), r.B.ask(q)
		if !a.asked() && !b.asked() {
			cells = append(cells, a.cell())
			continue
		}
		both := append(sided("A", a.cell()), sided("B", b.cell())...)
		if change := changeOf(a, b); change != "" {
			both = append(both, CellLine{Text: change})
		}
		cells = append(cells, both)
	}
	return cells
}

// sided puts the side's name before a cell.
func sided(side string, c Cell) Cell {
	for i := range c {
		if i == 0 {
			c[i].Text = side + " " + c[i].Text
		} else {
			c[i].Text = "  " + c[i].Text
		}
	}
	return c
}

// changeOf says what changed from one side's answers to the other's; empty: nothing that is known.
func changeOf(a, b answers) string {
	switch {
	case !a.asked() || !b.asked():
		return ""
	case a.states[Invalid]+b.states[Invalid] == 0 && a.states[Valid] > 0 && b.states[Valid] == 0:
		return "valid in A, and B does not tell"
	case a.states[Invalid]+b.states[Invalid] == 0 && b.states[Valid] > 0 && a.states[Valid] == 0:
		return "valid in B, and A does not tell"
	case a.states[Invalid] == 0 && b.states[Invalid] > 0:
		return a.onlyIn("B", "A")
	case a.states[Invalid] > 0 && b.states[Invalid] == 0:
		return b.onlyIn("A", "B")
	case a.states[Invalid] == 0:
		return ""
	}
	switch a.incidents.compareTo(b.incidents) {
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
	if a.states[Valid] == 0 {
		return "violations in " + side + ", and " + other + " does not tell"
	}
	return "violations only in " + side
}

func (r *ComparedRow) latencyCells() []Cell {
	var cells []Cell
	for _, k := range latencyKinds() {
		var lines []string
		for _, f := range comparedFigures(k) {
			a, b := r.A.measure(f), r.B.measure(f)
			if a.Rounds+b.Rounds == 0 {
				continue
			}
			lines = append(lines, "A "+f.stat+" "+a.write(formatNanoseconds)+a.fewer(len(r.A.Rounds)),
				"B "+f.stat+" "+b.write(formatNanoseconds)+b.fewer(len(r.B.Rounds)))
			if verdict := verdictOnLatency(a, b); verdict != "" {
				lines = append(lines, verdict)
			}
		}
		if len(lines) == 0 {
			lines = []string{dash, r.A.why(figureOf(k.title, "p50"))}
		}
		cells = append(cells, cell(lines...))
	}
	return cells
}

// comparedFigures are those of a kind on which there is a verdict.
func comparedFigures(k latencyKind) []figure {
	return slices.DeleteFunc(figures(), func(f figure) bool { return f.kind != k.title || !f.compared })
}

// verdictOnLatency says how the latency of B lies to that of A; empty: there are too few rounds to tell.
func verdictOnLatency(a, b Estimate) string {
	switch a.compareTo(b) {
	case below:
		return "B is " + percent(1-b.Median/a.Median) + " faster"
	case above:
		return "B is " + percent(b.Median/a.Median-1) + " slower"
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
