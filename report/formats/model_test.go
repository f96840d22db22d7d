package formats_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/formats"
	"github.com/lockbench/lockbench/report/internal/sample"
	"github.com/lockbench/lockbench/report/measure"
)

// TestWhatDidNotRunNeverLooksSafe renders runs that ended before anything was judged.
func TestWhatDidNotRunNeverLooksSafe(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*results.Run)
	}{
		{"crashed before the first test", func(r *results.Run) {
			r.Status, r.Tests = results.Incomplete, nil
			for i := range r.Drivers {
				r.Drivers[i].Status = results.Incomplete
			}
		}},
		{"crashed before any status", func(r *results.Run) {
			r.Status = ""
			for i := range r.Drivers {
				r.Drivers[i].Status = ""
			}
			for i := range r.Tests {
				r.Tests[i].Status = ""
			}
		}},
		{"crashed before the verdicts", func(*results.Run) {}},
		{"nothing is installed", func(r *results.Run) {
			for i := range r.Drivers {
				r.Drivers[i].Status, r.Drivers[i].Reason = results.NotRun, "not installed"
			}
			r.Tests = nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run, _, _ := sample.Raw()
			tt.change(&run)
			m := report.NewModel(run, results.Verdicts{}, false, nil)
			if code := m.Tally.ExitCode(); code == 0 {
				t.Error("exit code 0")
			}
			table, _, _ := strings.Cut(render(t, "text", m), "What this says")
			if safe := regexp.MustCompile(`(^|[^N])valid|\bgoes on|\b0\b`).FindString(table); safe != "" {
				t.Errorf("the text says %q:\n%s", safe, table)
			}
			if page := render(t, "html", m); strings.Contains(page, `class="mark valid"`) {
				t.Error("the page shows a valid verdict")
			}
			records, err := csv.NewReader(strings.NewReader(render(t, "csv", m))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			if len(records) != 1+len(run.Drivers) {
				t.Errorf("%d lines for %d drivers", len(records), len(run.Drivers))
			}
			for _, record := range records[1:] {
				if slices.Contains(record, "valid") || slices.Contains(record, "0") || slices.Contains(record, "") {
					t.Errorf("the summary looks safe: %q", record)
				}
			}
		})
	}
}

func TestSomeIncidentsAreOnlyCounted(t *testing.T) {
	run, verdicts, _ := sample.Raw()
	result := &verdicts.Tests[1].Result
	first := result.Incidents[0]
	result.Incidents, verdicts.Tests[1].Explanations = nil, nil
	for i := range 25 {
		e := explain.Explanation{Number: i + 1, Text: fmt.Sprintf("incident %d & <b>", i)}
		verdicts.Tests[1].Explanations = append(verdicts.Tests[1].Explanations, e)
		result.Incidents = append(result.Incidents, first)
	}
	page := render(t, "html", report.NewModel(run, verdicts, true, nil))
	for text, want := range map[string]bool{
		"incident 19 &amp; &lt;b&gt;": true, "incident 20 &amp;": false, "and 5 more": true, "incident 0 & <b>": false,
	} {
		if strings.Contains(page, text) != want {
			t.Errorf("%q on the page: %v, want %v", text, !want, want)
		}
	}
}

func TestIncidentsCountWhereTheyBegan(t *testing.T) {
	run, verdicts, ops := sample.Raw()
	test := run.Tests[1] // redis-setnx, unfenced, ignoring
	m, err := measure.Test(&run, &test, measure.Ops(ops[test.Name]), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		begin int64
		phase string
	}{{4 * sample.Sec, "holder-cut"}, {9 * sample.Sec, "majority-cut"}, {7 * sample.Sec, ""}} {
		verdicts.Tests[1].Result.Incidents[0].Begin = tt.begin
		row := report.NewModel(run, verdicts, true, map[string]measure.Measurement{test.Name: m}).Rows[0]
		for _, b := range row.Behaviours {
			if in := slices.Contains(b.What, measure.LetsTwoIn); in != (b.Phase == tt.phase) || in && (b.Heeding || !b.Ignoring) {
				t.Errorf("an incident at %d: %s is %+v", tt.begin, b.Phase, b)
			}
		}
	}
}

func TestThePageNeedsNothingElse(t *testing.T) {
	page := render(t, "html", sample.Run(t))
	for _, bad := range []string{"<script", "http://", "https://", "src=", "@import", "url(", "ZgotmplZ", "\x1b"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := formats.Find("pdf", formats.All()); err == nil || !strings.Contains(err.Error(), "text, csv, html") {
		t.Errorf("%v", err)
	}
}

func TestRenderTellsWhenWritingFails(t *testing.T) {
	m := sample.Run(t)
	for _, f := range formats.All() {
		if err := f.Render(fullDisk{}, report.Of(m), report.Options{}); err == nil {
			t.Errorf("%s: no error", f.Name)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// A violation that was found is told, however far the run says that the test came.
func TestNoStatusHidesAViolation(t *testing.T) {
	for _, status := range []results.Status{results.Complete, results.Incomplete, results.NotRun, results.Failed, results.NotApplicable} {
		run := results.Run{
			Status: results.Incomplete, Drivers: []results.Driver{{Name: "d", Title: "Lock", Status: results.Incomplete}},
			Tests: []results.Test{{Name: "d.a", Driver: "d", Status: status, Heeding: true, Reason: "interrupted"}},
		}
		found := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Invalid, Reason: "1 overlap"}, Incidents: []checker.Incident{{Kinds: []string{"overlap"}}}}
		m := report.NewModel(run, results.Verdicts{Tests: []results.TestVerdict{{Test: "d.a", Result: found}}}, true, nil)
		if f := m.Rows[0].Heeding; f.State != report.Invalid || f.Incidents != 1 || m.Tally.Unexpected != 1 {
			t.Errorf("%s: %+v, %+v", status, f, m.Tally)
		}
		if file := render(t, "junit", m); strings.Count(file, "<failure") != 1 {
			t.Errorf("%s: %s", status, file)
		}
	}
}

func TestDriversThatOnlyTestsName(t *testing.T) {
	run, verdicts, _ := sample.Raw()
	run.Drivers = nil
	m := report.NewModel(run, verdicts, true, nil)
	if len(m.Rows) != 5 || m.Rows[0].Driver.Title != "redis-setnx" || m.Tally.ExitCode() == 0 {
		t.Errorf("%d rows, exit code %d", len(m.Rows), m.Tally.ExitCode())
	}
}

func TestEveryFormatIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range formats.All() {
		if !strings.Contains(string(b), "`"+f.File+"`") || f.Name == "" || f.About == "" {
			t.Errorf("docs/results.md does not describe %s of the format %q", f.File, f.Name)
		}
	}
}
