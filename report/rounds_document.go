package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

// Render writes what the rounds say together; as HTML with a page on each of them below, and in the formats that know only
// single runs all of them.
func (r *Rounds) Render(w io.Writer, f Format, opt Options) error {
	switch f {
	case HTML:
		return writePage(w, r.Document(), r.Set.Runs)
	case JUnit, Bench:
		return RenderAll(w, f, r.Set.Runs, opt)
	case Text, CSV, Markdown, JSON:
	}
	return RenderDocument(w, f, r.Document(), opt)
}

// Save writes the files of the report on all rounds.
func (r *Rounds) Save(dir results.Dir) error {
	return save(dir, func(w io.Writer, f Format) error { return r.Render(w, f, Options{}) })
}

// Document lays the rounds out.
func (r *Rounds) Document() *Document {
	first := &r.Set.Runs[0].Run
	d := &Document{
		Title: fmt.Sprintf("%s of %s", units.Plural(len(r.Set.Runs), "round"), first.Subject()),
		Lead:  r.lead(),
		Tables: []Table{
			tableOf("safety", "Safety", questionsTable(), r.Rows, (*RoundsRow).safetyLine),
			tableOf("latency", "Latency", latencyTable(), r.Rows, (*RoundsRow).latencyLine),
		},
	}
	d.Sides = []string{""}
	for i := range r.Rows {
		d.Figures = append(d.Figures, figuresOf(r.Rows[i].Driver.Name, &r.Rows[i])...)
	}
	d.section("What differs between the rounds", r.differs())
	d.section("What is missing, and why", r.reasons())
	d.section("How to read it", r.notesOf())
	var runs []string
	for _, m := range r.Set.Runs {
		runs = append(runs, fmt.Sprintf("%s: seed %d, %s", m.Dir, m.Run.Seed, m.Run.Status))
	}
	d.section("The runs", runs)
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
		lead = append(lead, fmt.Sprintf("Of %s %d came to the end; what the others left is counted as far as it goes.", units.Plural(wanted, "round"), complete))
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

func questionsTable() []string {
	var titles []string
	for _, q := range questions() {
		titles = append(titles, q.title)
	}
	return titles
}

// cell is what the answers are together.
func (a answers) cell() Cell {
	if !a.asked() {
		if a.one.Reason == notAsked {
			return cell(dash)
		}
		return Cell{{NotApplicable, a.one.word()}}
	}
	c := Cell{{a.one.State, a.words()}}
	if a.states[Invalid] > 0 {
		count := "×" + a.incidents.write(formatCount) + a.incidents.fewer(a.rounds)
		if a.incidents.Rounds == 0 {
			count = "not counted: no round was judged as a whole;"
		}
		if a.expected {
			count += " expected"
		}
		c = append(c, CellLine{Text: strings.TrimSuffix(count, ";")})
	}
	return c
}

// formatCount writes a count, or the mean of two.
func formatCount(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// words say in how many rounds the worst was found.
func (a answers) words() string {
	word := string(a.one.State)
	if a.one.State == Invalid {
		word = "INVALID"
	}
	return fmt.Sprintf("%s in %d of %d", word, a.states[a.one.State], a.rounds)
}

// figuresOf lists the numbers of a driver, over what any of the sides has of it; a side that does not have it is nil.
func figuresOf(driver string, sides ...*RoundsRow) []Figure {
	var all []Figure
	add := func(quantity, unit string, told bool, of func(*RoundsRow) Estimate) {
		f := Figure{Driver: driver, Quantity: quantity, Unit: unit, Estimates: make([]Estimate, len(sides))}
		for i, side := range sides {
			if side != nil {
				f.Estimates[i] = of(side)
			}
		}
		if len(sides) == 2 && told {
			f.Verdict = f.Estimates[0].compareTo(f.Estimates[1]).word()
		}
		all = append(all, f)
	}
	for _, q := range questions() {
		add(q.name+"_incidents", "incidents", true, func(r *RoundsRow) Estimate { return r.ask(q).incidents })
	}
	for _, f := range figures() {
		add(f.name, "ns", f.compared, func(r *RoundsRow) Estimate { return r.measure(f) })
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
			if !one.nothing() {
				continue
			}
			d := &one.Driver
			if why := fmt.Sprintf("%s %s: %s", d.Title, d.Status, orElse(d.Reason, "no reason was recorded")); !slices.Contains(all, why) {
				all = append(all, why)
			}
		}
	}
	return all
}

func (r *RoundsRow) latencyCells() []Cell {
	var cells []Cell
	for _, k := range latencyKinds() {
		var lines []string
		for _, f := range figures() {
			if f.kind != k.title {
				continue
			}
			if e := r.measure(f); e.Rounds > 0 {
				lines = append(lines, f.stat+" "+e.write(formatNanoseconds)+e.fewer(len(r.Rounds)))
			}
		}
		if len(lines) == 0 {
			lines = []string{dash, r.why(figureOf(k.title, "p50"))}
		}
		cells = append(cells, cell(lines...))
	}
	return cells
}

// fewer says that not all rounds measured a figure.
func (e Estimate) fewer(rounds int) string {
	if e.Rounds == rounds {
		return ""
	}
	return fmt.Sprintf(" in %d of %d", e.Rounds, rounds)
}

// notesOf say how to read tables of these rounds and of others.
func (r *Rounds) notesOf(others ...*Rounds) []string {
	notes := []string{
		"INVALID in 2 of 5: in two of five rounds something was found. One is enough: a lock that broke once is not a lock.",
		"×N counts the incidents of a round. Incidents and latency: the median of the rounds and, in brackets, an interval that covers the true median, whatever the distribution " +
			"(order statistics). With five rounds it does so with 93.75 %, with more rounds with 95 % or more.",
		"Uncontended: acquires of one worker alone. Contended: in the phases without a fault in which several workers ask. Hand-off: from the end of " +
			"a hold, when somebody is waiting already, to the return of the next grant.",
	}
	few := len(r.Set.Runs)
	for _, o := range others {
		few = min(few, len(o.Set.Runs))
	}
	if few < IntervalRounds {
		notes = append(notes, fmt.Sprintf("There is no interval, and so no verdict on latency, below %d rounds.", IntervalRounds))
	}
	return notes
}

func (r *RoundsRow) safetyLine() Line {
	line := Line{Driver: r.Driver, Reason: r.nothing(), Complexity: complexity(&r.Driver, "trip")}
	if line.Reason == "" {
		for _, q := range questions() {
			line.Cells = append(line.Cells, r.ask(q).cell())
		}
	}
	return line
}

func (r *RoundsRow) latencyLine() Line {
	line := Line{Driver: r.Driver, Reason: r.nothing()}
	if line.Reason == "" {
		line.Cells = r.latencyCells()
	}
	return line
}
