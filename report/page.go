package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/units"
)

const (
	// shownPictures is how many incidents a page has pictures of, shownTimelines how many tests it shows over time, and shownRuns
	// how many runs it tells in full, at the most: it must stay small enough to be sent by mail.
	shownPictures  = 120
	shownTimelines = 64
	shownRuns      = 8
)

// htmlPage is what the page's template sees.
type htmlPage struct {
	Title    string
	Style    template.CSS
	Document *Document // nil: there is none
	Matrix   *matrix   // nil: there is only one run
	Runs     []*runPage
}

// runPage is what the page says of one run.
type runPage struct {
	*Model
	Title string
	Alone bool
	// Short is true if the page tells of the run only what it says and the comparison.
	Short bool
	// Prefix begins all anchors of the run.
	Prefix      string
	Percentiles *percentilePlot // nil: nothing was measured
	Sections    []driverSection
}

// driverSection is what the page says of one driver by itself.
type driverSection struct {
	*Row
	Prefix    string
	Timelines []*timelinePlot
	Tests     []testView
}

// testView is a test as the page shows it.
type testView struct {
	*TestRow
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

// newPage lays out the page of a document and of runs.
func newPage(d *Document, all []*Model) (*htmlPage, error) {
	p := &htmlPage{Style: template.CSS(pageStyle), Title: fmt.Sprintf("Locks in %s", units.Plural(len(all), "run")), Document: d}
	if len(all) > 1 {
		p.Matrix = newMatrix(all)
	}
	full := inFull(all)
	var told []*Model
	for i, m := range all {
		if full[i] {
			told = append(told, m)
		}
	}
	b := newBudget(told)
	for i, m := range all {
		r := &runPage{Model: m, Title: "Locks under " + orElse(m.Run.Title(), "an unknown scenario"), Alone: len(all) == 1 && d == nil}
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
		p.Runs = append(p.Runs, r)
	}
	if d != nil {
		p.Title = d.Title
	}
	return p, nil
}

// inFull picks the runs that are told in full: of too many those with the most violations.
func inFull(all []*Model) []bool {
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

func newBudget(all []*Model) budget {
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
	if p.Percentiles, err = newPercentilePlot(p.Rows); err != nil {
		return fmt.Errorf("plot the latency: %w", err)
	}
	for i := range p.Rows {
		r := &p.Rows[i]
		s := driverSection{Row: r, Prefix: p.Prefix}
		worst := r.worstTest()
		for j := range r.Tests {
			t := &r.Tests[j]
			s.Tests = append(s.Tests, t.view(b.pictures))
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
func (r *Row) worstTest() int {
	worst, most := -1, -1
	for i := range r.Tests {
		t := &r.Tests[i]
		if bad := t.Exclusion.State.severity() + t.Data.State.severity(); len(t.Measured.Timeline.Grants) > 0 && bad > most {
			worst, most = i, bad
		}
	}
	return worst
}

// view picks the incidents that the page tells, the first of them with pictures.
func (t *TestRow) view(pictures int) testView {
	v := testView{TestRow: t}
	if t.Result == nil {
		return v
	}
	for _, n := range telling(t.Result.Incidents) {
		i := &t.Result.Incidents[n]
		one := told{
			Number: n + 1, Kinds: strings.ReplaceAll(list(i.Kinds), "_", " "), Lock: i.Lock,
			Explanation: i.Explanation, Begin: i.Begin, End: i.End,
		}
		grants := make([]string, 0, shownGrants)
		for _, g := range i.Grants[:min(shownGrants, len(i.Grants))] {
			grants = append(grants, fmt.Sprintf("%d/%d", g.Process, g.Grant))
		}
		if more := len(i.Grants) - shownGrants; more > 0 {
			grants = append(grants, fmt.Sprintf("%d more", more))
		}
		one.Grants = list(grants)
		for _, e := range t.Explanations {
			if e.Number == n+1 {
				one.Explanation = e.Text
			}
		}
		if scene, ok := t.Measured.Scenes[n]; ok && pictures > 0 {
			one.Picture = scene.picture(i.Lock)
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
