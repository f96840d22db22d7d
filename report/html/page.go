package html

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

const (
	// shownGrants is how many grants of an incident the page names.
	shownGrants = 6
	// shownPictures is how many incidents a page has pictures of, shownTimelines how many tests it shows over time,
	// and shownRuns how many runs it tells in full, at the most: it must stay small enough to be sent by mail.
	shownPictures  = 120
	shownTimelines = 64
	shownRuns      = 8
)

// htmlPage is what the page's template sees.
type htmlPage struct {
	Title   string
	Style   template.CSS
	Summary *report.Summary // nil: there is none
	Matrix  *report.Matrix  // nil: there is only one scenario
	// Answers and Contents are of the page or, if one run is Alone on it, of that.
	Answers  []report.Answer
	Contents []place
	Alone    bool
	Runs     []*runPage
	Glossary []report.Term
}

// runPage is what the page says of one run.
type runPage struct {
	*report.Model
	Title string
	Alone bool
	// Short is true if the page tells of the run only what it says and the comparison.
	Short bool
	// Prefix begins all anchors of the run.
	Prefix string
	// Percentiles has a plot for each kind of latency that was measured, and Keys a key for each driver in them.
	Percentiles []*percentilePlot
	Keys        []percentileLine
	Sections    []driverSection
	Answers     []report.Answer
	Contents    []place
}

// driverSection is what the page says of one driver by itself.
type driverSection struct {
	*report.Row
	Prefix    string
	Timelines []*timelinePlot
	Tests     []testView
}

// testView is a test as the page shows it.
type testView struct {
	*report.TestRow
	Shown []told
	// Unshown counts the incidents that the page does not tell.
	Unshown int
}

// told is an incident as the page tells it.
type told struct {
	Number                           int
	Kinds, Lock, Grants, Explanation string
	Begin, End                       int64
	Picture                          *scenePicture // nil: none
}

// newPage lays out the page.
func newPage(d *report.Document) (*htmlPage, error) {
	all := d.Runs
	p := &htmlPage{Answers: report.Answers(all), Glossary: report.Glossary(), Style: template.CSS(pageStyle), Title: fmt.Sprintf("Locks in %s", units.Plural(len(all), "run")), Summary: d.Summary}
	p.Matrix = report.NewMatrix(all)
	full := inFull(all)
	var told []*report.Model
	for i, m := range all {
		if full[i] {
			told = append(told, m)
		}
	}
	b := newBudget(told)
	for i, m := range all {
		r := &runPage{Model: m, Title: "Locks under " + cmp.Or(m.Run.Title(), "an unknown scenario"), Alone: len(all) == 1 && d.Summary == nil}
		if r.Alone {
			p.Title = r.Title
		} else {
			r.Prefix = runPrefix(i)
		}
		if r.Short = !full[i]; !r.Short {
			if err := r.fill(b); err != nil {
				return nil, err
			}
		}
		if r.Alone {
			p.Alone, r.Answers, r.Contents = true, p.Answers, r.contents()
		}
		p.Runs = append(p.Runs, r)
	}
	p.Contents = p.contents()
	if d.Summary != nil {
		p.Title = d.Summary.Title
	}
	return p, nil
}

// inFull picks the runs that are told in full: of too many those with the most violations.
func inFull(all []*report.Model) []bool {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	violations := func(i int) int { return all[i].Tally.Unexpected + all[i].Tally.Expected }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(violations(b), violations(a)) })
	full := make([]bool, len(all))
	for _, i := range order[:min(shownRuns, len(order))] {
		full[i] = true
	}
	return full
}

// runPrefix begins the anchors of the run with that number from 0.
func runPrefix(i int) string { return fmt.Sprintf("run-%d-", i+1) }

// budget is how much of what a page could show it does show.
type budget struct {
	pictures  int  // of each test
	timelines bool // of all tests; else of each driver's worst
}

func newBudget(all []*report.Model) budget {
	incidents, timelines := 0, 0
	for _, m := range all {
		for i := range m.Rows {
			for _, t := range m.Rows[i].Tests {
				incidents += min(len(t.Measured.Scenes), 1)
				timelines += min(len(t.Measured.Timeline.Grants), 1)
			}
		}
	}
	return budget{pictures: max(1, shownPictures/max(1, incidents)), timelines: timelines <= shownTimelines}
}

func (p *runPage) fill(b budget) error {
	var err error
	if p.Percentiles, err = newPercentilePlots(p.Rows); err != nil {
		return err
	}
	p.Keys = percentileKeys(p.Percentiles)
	for i := range p.Rows {
		r := &p.Rows[i]
		s := driverSection{Row: r, Prefix: p.Prefix}
		worst := worstTest(r)
		for j := range r.Tests {
			t := &r.Tests[j]
			s.Tests = append(s.Tests, newTestView(t, b.pictures))
			if t.Skipped() || !b.timelines && j != worst {
				continue
			}
			timeline, err := newTimelinePlot(r.Driver.Title, t)
			if err != nil {
				return fmt.Errorf("plot the test %s over time: %w", t.Name, err)
			}
			if timeline != nil {
				s.Timelines = append(s.Timelines, timeline)
			}
		}
		p.Sections = append(p.Sections, s)
	}
	return nil
}

// worstTest is the place of the first test whose verdicts are the worst, of those with a history.
func worstTest(r *report.Row) int {
	worst, most := -1, -1
	for i := range r.Tests {
		t := &r.Tests[i]
		if bad := t.Exclusion.State.Severity() + t.Data.State.Severity(); len(t.Measured.Timeline.Grants) > 0 && bad > most {
			worst, most = i, bad
		}
	}
	return worst
}

// newTestView picks the incidents that the page tells, the first of them with pictures.
func newTestView(t *report.TestRow, pictures int) testView {
	v := testView{TestRow: t}
	if t.Result == nil {
		return v
	}
	for _, n := range measure.Told(t.Result.Incidents) {
		i := &t.Result.Incidents[n]
		one := told{
			Number: n + 1, Kinds: strings.ReplaceAll(report.List(i.Kinds), "_", " "), Lock: i.Lock,
			Explanation: explain.Text(t.Explanations, t.Result, n+1), Begin: i.Begin, End: i.End,
		}
		grants := make([]string, 0, shownGrants)
		for _, g := range i.Grants[:min(shownGrants, len(i.Grants))] {
			grants = append(grants, fmt.Sprintf("%d/%d", g.Process, g.Grant))
		}
		if more := len(i.Grants) - shownGrants; more > 0 {
			grants = append(grants, fmt.Sprintf("%d more", more))
		}
		one.Grants = report.List(grants)
		if scene, ok := t.Measured.Scenes[n]; ok && pictures > 0 {
			one.Picture = drawnScene{&scene}.picture(i.Lock)
			pictures--
		}
		v.Shown = append(v.Shown, one)
	}
	v.Unshown = len(t.Result.Incidents) - len(v.Shown)
	return v
}

// Pictured reports whether some incident has a picture, which needs a key.
func (v *testView) Pictured() bool {
	return slices.ContainsFunc(v.Shown, func(t told) bool { return t.Picture != nil })
}
