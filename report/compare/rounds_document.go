package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// Document is what the rounds say together, and each of them.
func (r *Rounds) Document() *report.Document {
	return &report.Document{Summary: r.summary(), Runs: r.Set.Runs}
}

func (r *Rounds) summary() *report.Summary {
	first := &r.Set.Runs[0].Run
	d := &report.Summary{
		Title: fmt.Sprintf("%s of %s", units.Plural(len(r.Set.Runs), "round"), first.Subject()),
		Lead:  r.lead(),
		Tables: []report.Table{
			tableOf("safety", "Safety", questionTitles(), r.Rows, (*RoundsRow).safetyLine),
			tableOf("latency", "Latency", latencyTable(), r.Rows, (*RoundsRow).latencyLine),
		},
	}
	d.Sides = []string{""}
	for i := range r.Rows {
		d.Figures = append(d.Figures, figuresOf(r.Rows[i].Driver.Name, &r.Rows[i])...)
	}
	d.Add("What differs between the rounds", r.differs())
	d.Add("What is missing, and why", r.reasons())
	d.Add("How to read it", r.notesOf())
	var runs []string
	for _, m := range r.Set.Runs {
		runs = append(runs, fmt.Sprintf("%s: seed %d, %s", m.Dir, m.Run.Seed, m.Run.Status))
	}
	d.Add("The runs", runs)
	return d
}

// lead says what the rounds were.
func (r *Rounds) lead() []string {
	runs := r.Set.Runs
	lead := []string{runs[0].Run.Summary}
	complete, wanted := 0, len(runs)
	for _, m := range runs {
		if m.Run.Status == results.Complete {
			complete++
		}
		if m.Run.Round != nil {
			wanted = max(wanted, m.Run.Round.Of)
		}
	}
	if complete < wanted {
		lead = append(lead, fmt.Sprintf("%[2]d of %[1]s completed. The others count as far as they ran.", units.Plural(wanted, "round"), complete))
	}
	return lead
}

func latencyTable() []string {
	var titles []string
	for _, k := range latencyKinds() {
		titles = append(titles, k.title)
	}
	return titles
}

func questionTitles() []string {
	var titles []string
	for _, q := range report.Questions() {
		titles = append(titles, q.Title)
	}
	return titles
}

// cell is what the answers are together.
func (a answers) cell() report.Cell {
	if !a.asked() {
		if a.one.NotAsked {
			return report.CellOf(report.Words(measure.Dash))
		}
		return report.Cell{{State: report.NotApplicable, Value: report.Words(a.one.Word())}}
	}
	c := report.Cell{{State: a.one.State, Value: report.Words(a.words())}}
	switch {
	case a.states[report.Invalid] == 0:
	case a.incidents.Rounds == 0:
		c = append(c, report.CellLine{Value: report.Words("not counted: no round was judged completely")})
	default:
		c = append(c, report.CellLine{Value: incidents{a.incidents, a.rounds, a.expected}})
	}
	return c
}

// incidents are those of a round.
type incidents struct {
	report.Estimate
	rounds   int
	expected bool
}

func (i incidents) String() string {
	s := "×" + write(i.Estimate, formatCount) + fewer(i.Estimate, i.rounds)
	if i.expected {
		s += " expected"
	}
	return s
}

// latency is a figure over so many rounds, in nanoseconds.
type latency struct {
	report.Estimate
	rounds int
}

func (l latency) String() string {
	return write(l.Estimate, formatNanoseconds) + fewer(l.Estimate, l.rounds)
}

// orWhy is a cell of latencies, or if it has none why.
func orWhy(c report.Cell, r *RoundsRow, k latencyKind) report.Cell {
	if len(c) > 0 {
		return c
	}
	return report.CellOf(report.Words(measure.Dash), report.Words(r.why(figureOf(k.kind, "p50"))))
}

// formatCount writes a count, or the mean of two.
func formatCount(n float64) (number, unit string) { return strconv.FormatFloat(n, 'f', -1, 64), "" }

// words say in how many rounds the worst was found.
func (a answers) words() string {
	word := string(a.one.State)
	if a.one.State == report.Invalid {
		word = "INVALID"
	}
	return fmt.Sprintf("%s in %d of %d", word, a.states[a.one.State], a.rounds)
}

// figuresOf lists the numbers of a driver, over what any of the sides has of it; a side that does not have it is nil.
func figuresOf(driver string, sides ...*RoundsRow) []report.Figure {
	var all []report.Figure
	add := func(quantity, unit string, told bool, of func(*RoundsRow) report.Estimate) {
		f := report.Figure{Driver: driver, Quantity: quantity, Unit: unit, Estimates: make([]report.Estimate, len(sides))}
		for i, side := range sides {
			if side != nil {
				f.Estimates[i] = of(side)
			}
		}
		if len(sides) == 2 && told {
			f.Verdict = compareTo(f.Estimates[0], f.Estimates[1]).word()
		}
		all = append(all, f)
	}
	for _, q := range report.Questions() {
		add(q.Name+"_incidents", "incidents", true, func(r *RoundsRow) report.Estimate { return r.ask(q).incidents })
	}
	for _, f := range figures() {
		add(f.name, "ns", f.compared, func(r *RoundsRow) report.Estimate { return r.measure(f) })
	}
	return all
}

// differs lists in what the rounds' surroundings differ.
func (r *Rounds) differs() []string {
	var all []string
	for _, m := range r.Set.Runs[1:] {
		for _, d := range surroundings(&r.Set.Runs[0].Run, &m.Run) {
			if !slices.Contains(all, d) {
				all = append(all, d)
			}
		}
	}
	return all
}

// reasons say, once each, why rounds came to nothing.
func (r *Rounds) reasons() []string {
	var all []string
	for _, row := range r.Rows {
		for _, one := range row.Rounds {
			if !one.Nothing() {
				continue
			}
			d := &one.Driver
			if why := fmt.Sprintf("%s %s: %s", d.Title, d.Status, cmp.Or(d.Reason, "no reason was recorded")); !slices.Contains(all, why) {
				all = append(all, why)
			}
		}
	}
	return all
}

func (r *RoundsRow) latencyCells() []report.Cell {
	var cells []report.Cell
	for _, k := range latencyKinds() {
		var cell report.Cell
		for _, f := range figures() {
			if e := r.measure(f); f.kind == k.kind && e.Rounds > 0 {
				cell = append(cell, report.CellLine{Label: f.stat, Value: latency{e, len(r.Rounds)}})
			}
		}
		cells = append(cells, orWhy(cell, r, k))
	}
	return cells
}

// notesOf say how to read tables of these rounds and of others.
func (r *Rounds) notesOf(others ...*Rounds) []string {
	notes := []string{
		"INVALID in 2 of 5: two of five rounds found a violation. One violation is enough to fail a lock.",
		"×N counts the incidents of a round. Incidents and latency are medians over the rounds. The interval in " +
			"brackets covers the true median, whatever the distribution " +
			"(order statistics). Its confidence is 93.75 % with five rounds and at least 95 % with more.",
		"Uncontended: acquires of one worker alone. Contended: several workers request the lock, without a " +
			"fault. Hand-off: from the end of " +
			"a hold to the next grant, if somebody was already waiting.",
	}
	few := len(r.Set.Runs)
	for _, o := range others {
		few = min(few, len(o.Set.Runs))
	}
	if few < IntervalRounds {
		notes = append(notes, fmt.Sprintf("Below %d rounds there is no interval and no verdict on latency.", IntervalRounds))
	}
	return notes
}

func (r *RoundsRow) safetyLine() report.Line {
	line := report.Line{Driver: r.Driver, Reason: r.nothing(), Under: report.Complexity(&r.Driver, "trip")}
	if line.Reason == "" {
		for _, q := range report.Questions() {
			line.Cells = append(line.Cells, r.ask(q).cell())
		}
	}
	return line
}

func (r *RoundsRow) latencyLine() report.Line {
	line := report.Line{Driver: r.Driver, Reason: r.nothing()}
	if line.Reason == "" {
		line.Cells = r.latencyCells()
	}
	return line
}
