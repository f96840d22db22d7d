package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// shownPictures is how many incidents a page has pictures of, at the most: it must stay small enough to be sent by mail.
const shownPictures = 120

// htmlPage is what the page's template sees.
type htmlPage struct {
	*Model
	Style       template.CSS
	Percentiles *percentilePlot // nil: nothing was measured
	Sections    []driverSection // one for each driver
}

// driverSection is what the page says of one driver by itself.
type driverSection struct {
	*Row
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

func newPage(m *Model) (*htmlPage, error) {
	p := &htmlPage{Model: m, Style: template.CSS(pageStyle)}
	var err error
	if p.Percentiles, err = newPercentilePlot(m.Rows); err != nil {
		return nil, fmt.Errorf("plot the latency: %w", err)
	}
	withIncidents := 0
	for i := range m.Rows {
		for _, t := range m.Rows[i].Tests {
			withIncidents += min(len(t.Measured.Scenes), 1)
		}
	}
	pictures := max(1, shownPictures/max(1, withIncidents)) // of each test
	for i := range m.Rows {
		r := &m.Rows[i]
		s := driverSection{Row: r}
		for j := range r.Tests {
			t := &r.Tests[j]
			s.Tests = append(s.Tests, t.view(pictures))
			timeline, err := newTimelinePlot(r.Driver.Title, t)
			if err != nil {
				return nil, fmt.Errorf("plot the test %s over time: %w", t.Name, err)
			}
			if timeline != nil && !t.Skipped() {
				s.Timelines = append(s.Timelines, timeline)
			}
		}
		p.Sections = append(p.Sections, s)
	}
	return p, nil
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
