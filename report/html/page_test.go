package html

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/histories"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/internal/sample"
	"github.com/lockbench/lockbench/report/measure"
)

func TestAPageOfSeveralRuns(t *testing.T) {
	page := sample.Render(t, Render, sample.Tables(t), sample.Run(t))
	for _, want := range []string{`<a href="#run-2-run">partition</a>`, `<a href="#matrix">Data in each scenario</a>`, `<h2 class="run" id="run-2-run">`, `id="run-2-driver-etcd"`, `id="run-1-driver-busy"`} {
		if n := strings.Count(page, want); n != 1 {
			t.Errorf("the page has %q %d times", want, n)
		}
	}
	for name, one := range map[string]string{"one run": sample.Render(t, Render, sample.Run(t)), "one scenario": sample.Render(t, Render, sample.Run(t), sample.Run(t))} {
		if strings.Contains(one, report.MatrixTitle) {
			t.Errorf("a page of %s compares scenarios", name)
		}
	}
}

// Where there are too many tests, each driver's worst is shown over time.
func TestTooManyTestsOverTime(t *testing.T) {
	few, many := sample.Run(t), sample.Run(t) // of six tests with a history each
	many.Rows[2].Tests = slices.Repeat(many.Rows[2].Tests, 3)
	p, err := newPage(report.Of(slices.Repeat([]*report.Model{few}, 8)...))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(p.Runs[0].Sections[2].Timelines); got != 4 {
		t.Errorf("%d timelines of etcd, want 4", got)
	}
	if p, err = newPage(report.Of(slices.Repeat([]*report.Model{many}, 8)...)); err != nil {
		t.Fatal(err)
	}
	s := p.Runs[7].Sections[2]
	if len(s.Timelines) != 1 || s.Timelines[0].Setup != "unfenced, ignoring" {
		t.Errorf("%d timelines of etcd: %+v", len(s.Timelines), s.Timelines)
	}
}

// Of too many runs those with the most violations are told in full.
func TestTooManyRuns(t *testing.T) {
	clean, broken := sample.Empty(), sample.Run(t)
	runs := append(slices.Repeat([]*report.Model{clean}, 8), broken, clean)
	if got := inFull(runs); !slices.Equal(got, []bool{true, true, true, true, true, true, true, false, true, false}) {
		t.Errorf("in full: %v", got)
	}
	page := sample.Render(t, Render, slices.Repeat([]*report.Model{broken}, 10)...)
	if n := strings.Count(page, "for the rest of this one"); n != 2 {
		t.Errorf("%d runs are told in short, want 2", n)
	}
	for _, anchor := range []string{`id="run-8-driver-etcd"`, `href="#run-8-driver-etcd"`, `id="run-9-comparison"`} {
		if !strings.Contains(page, anchor) {
			t.Errorf("there is no %s", anchor)
		}
	}
	if strings.Contains(page, "run-9-driver-etcd") {
		t.Error("a run that is told in short has links to what is not there")
	}
	if size := len(page); size > 2_000_000 {
		t.Errorf("the page has %d bytes", size)
	}
}

// Texts of drivers, servers and histories may look like HTML; in plots, too.
func TestEverythingIsEscaped(t *testing.T) {
	const evil = `<img src=x onerror=alert(1)>"'` + "`<b>`"
	all := histories.Read(t, histories.Overlapping)
	for i := range all {
		op := &all[i]
		if op.Client == "c1" || op.Client == "c2" {
			op.Client += evil
		}
		if op.Lock != "" {
			op.Lock += evil
		}
		if op.Phase != "" {
			op.Phase += evil
		}
		if op.Fault != nil {
			fault := *op.Fault
			fault.Role += evil
			op.Fault = &fault
		}
	}
	id := checker.GrantID{Process: 1, Grant: 1}
	in := checker.Incident{Lock: "x" + evil, Kinds: []string{"overlap", evil}, Grants: []checker.GrantID{id, {Process: 2, Grant: 1}}, Begin: 400 * sample.Milli, End: 550 * sample.Milli}
	verdict := results.TestVerdict{
		Test: "d.a", Result: checker.Result{Exclusion: checker.Judgement{Verdict: checker.Invalid, Reason: evil}, Incidents: []checker.Incident{in}},
		Explanations: []explain.Explanation{{Number: 1, Text: evil, Violations: []checker.Violation{{Kind: evil, At: 500 * sample.Milli, By: checker.Grant{GrantID: id}}}}},
	}
	run := results.Run{
		Scenario: evil, Summary: evil, Status: results.Complete, Outline: evil,
		Plan:  []results.PlannedPhase{{Name: "cut" + evil, Latency: true, Faults: []results.PlannedFault{{Name: evil, Target: evil}}}},
		Sweep: &results.Sweep{Path: evil, Value: evil}, Argv: []string{evil},
		Drivers: []results.Driver{{Name: "d" + evil, Title: evil, Summary: evil, Token: evil, Version: evil, Status: results.Complete}},
		Tests:   []results.Test{{Name: "d.a", Driver: "d" + evil, Status: results.Complete, Reason: evil, Notes: []string{evil}, Phases: []results.Phase{{Name: "cut" + evil}}}},
	}
	measured, err := measure.Test(&run, &run.Tests[0], measure.Ops(all), &verdict)
	if err != nil {
		t.Fatal(err)
	}
	m := report.NewModel(run, results.Verdicts{Tests: []results.TestVerdict{verdict}}, true, map[string]measure.Measurement{"d.a": measured})
	page := sample.Render(t, Render, m, m)
	if n := strings.Count(page, `<svg class="scene"`); n != 2 {
		t.Errorf("%d pictures of incidents, want 2", n)
	}
	for _, bad := range []string{"<img", `"'`, "<b>", "ZgotmplZ"} {
		if i := strings.Index(page, bad); i >= 0 {
			t.Errorf("the page holds %q: %s", bad, page[max(0, i-100):min(len(page), i+100)])
		}
	}
}

func TestProse(t *testing.T) {
	for text, want := range map[string]string{
		"c1 got `lock-1`, <b>": "c1 got <code>lock-1</code>, &lt;b&gt;", "`a` and `b`": "<code>a</code> and <code>b</code>",
		"one ` only": "one ` only", "`<i>`": "<code>&lt;i&gt;</code>", "": "",
	} {
		if got := string(prose(text)); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestPercentileLines(t *testing.T) {
	var l measure.Latency
	for i := range int64(1000) {
		must.Succeed(t, l.Record((i+1)*sample.Micro))
	}
	points := percentiles(l)
	if n := len(points); n < 60 || n > 300 || points[0].X != 0 || points[n-1].X != 3 {
		t.Errorf("%d points from %v to %v", n, points[0], points[n-1])
	}
	for i := range points[1:] {
		if points[i+1].Y < points[i].Y {
			t.Errorf("the line falls at %v", points[i])
		}
	}
	for _, at := range points { // of 1 to 1000 µs
		if want := math.Log10(1e6 * (1 - math.Pow(10, -at.X))); at.X > .1 && math.Abs(at.Y-want) > .01 {
			t.Errorf("at %.3f the line is at %.3f, want %.3f", at.X, at.Y, want)
		}
	}
	if p, err := newPercentilePlots([]report.Row{{}, {Driver: results.Driver{Status: results.NotRun}}}); p != nil || err != nil {
		t.Errorf("a plot of nothing: %+v, %v", p, err)
	}
	one := measure.Latency{}
	must.Succeed(t, one.Record(0))
	if _, err := newPercentilePlots([]report.Row{{Latency: one}}); err != nil {
		t.Errorf("one acquire that took no time: %v", err)
	}
}

func TestAnEmptyRunSaysSo(t *testing.T) {
	page := sample.Render(t, Render, sample.Empty())
	for text, want := range map[string]bool{"It says nothing about any lock": true, "<table": false, "<svg": false, "0001": false, "incomplete run": true} {
		if strings.Contains(page, text) != want {
			t.Errorf("%q on the page: %v", text, !want)
		}
	}
}

// An axis of times begins and ends within a step of what is drawn: no decade is empty.
func TestNoDecadeIsEmpty(t *testing.T) {
	for _, tt := range []struct{ value, down, up float64 }{
		{math.Log10(85_000), math.Log10(50_000), math.Log10(100_000)}, {math.Log10(100_000), 5, 5},
		{math.Log10(101_000), 5, math.Log10(200_000)}, {math.Log10(999), math.Log10(500), 3}, {0, 0, 0},
	} {
		if down, up := roundDown(tt.value), roundUp(tt.value); math.Abs(down-tt.down) > 1e-9 || math.Abs(up-tt.up) > 1e-9 {
			t.Errorf("%v lies between %v and %v, want %v and %v", tt.value, down, up, tt.down, tt.up)
		}
	}
}

// Terms are linked where they stand, and each link has its target.
func TestTermsAreLinked(t *testing.T) {
	page := sample.Render(t, Render, sample.Run(t))
	for _, header := range []string{`Exclusion</a> <small><a class="term" href="#term-heeding-ignoring">ignoring</a>`, `Data <small><a class="term" href="#term-fenced-unfenced">fenced</a>`} {
		if !strings.Contains(page, header) {
			t.Errorf("no heading has %s", header)
		}
	}
	for _, link := range regexp.MustCompile(`href="#(term-[^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `<dt id="`+link[1]+`">`) {
			t.Fatalf("%s leads nowhere", link[0])
		}
	}
}
