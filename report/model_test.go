package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
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
			run, _, _ := fixtureRun()
			tt.change(&run)
			m := NewModel(run, results.Verdicts{}, false, nil)
			if code := m.Tally.ExitCode(); code == 0 {
				t.Error("exit code 0")
			}
			table, _, _ := strings.Cut(render(t, Text, m), "What this says")
			if safe := regexp.MustCompile(`(^|[^N])valid|\bgoes on|\b0\b`).FindString(table); safe != "" {
				t.Errorf("the text says %q:\n%s", safe, table)
			}
			if page := render(t, HTML, m); strings.Contains(page, `class="mark valid"`) {
				t.Error("the page shows a valid verdict")
			}
			records, err := csv.NewReader(strings.NewReader(render(t, CSV, m))).ReadAll()
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

func TestFindingsMerge(t *testing.T) {
	valid, na := Finding{State: Valid}, Finding{State: NotApplicable, Reason: "n"}
	notRun, unknown := Finding{State: NotRun, Reason: "r"}, Finding{State: Unknown, Reason: "u"}
	failed := Finding{State: Failed, Reason: "f"}
	broken, expected := Finding{State: Invalid, Incidents: 2, Reason: "b"}, Finding{State: Invalid, Expected: true, Incidents: 3, Reason: "e"}
	whole := func(f Finding) Finding {
		f.Complete = true
		return f
	}
	for _, tt := range []struct {
		all  []Finding
		want Finding
	}{
		{[]Finding{valid, valid}, valid},
		{[]Finding{na, valid}, valid},
		{[]Finding{na, na}, na},
		{[]Finding{notRun, notRun}, notRun},
		{[]Finding{valid, notRun}, Finding{State: Unknown, Reason: "run only in part: r"}},
		{[]Finding{unknown, valid}, unknown},
		{[]Finding{failed, unknown, valid}, failed},
		{[]Finding{valid, broken, unknown}, broken},
		{[]Finding{expected, valid}, expected},
		{[]Finding{broken, expected}, Finding{State: Invalid, Incidents: 5, Reason: "b; e"}},
		{[]Finding{expected, broken}, Finding{State: Invalid, Incidents: 5, Reason: "e; b"}},
		{[]Finding{whole(valid), whole(broken), na}, whole(broken)},
		{[]Finding{whole(valid), broken}, broken},
		{[]Finding{whole(broken), whole(broken)}, Finding{State: Invalid, Incidents: 4, Reason: "b", Complete: true}},
		{[]Finding{whole(unknown), whole(valid)}, whole(unknown)},
	} {
		if got := worst(tt.all); got != tt.want {
			t.Errorf("%+v is %+v, want %+v", tt.all, got, tt.want)
		}
	}
}

func TestSomeIncidentsAreOnlyCounted(t *testing.T) {
	run, verdicts, _ := fixtureRun()
	result := &verdicts.Tests[1].Result
	first := result.Incidents[0]
	result.Incidents = nil
	for i := range 25 {
		first.Explanation = fmt.Sprintf("incident %d & <b>", i)
		result.Incidents = append(result.Incidents, first)
	}
	page := render(t, HTML, NewModel(run, verdicts, true, nil))
	for text, want := range map[string]bool{
		"incident 19 &amp; &lt;b&gt;": true, "incident 20 &amp;": false, "and 5 more": true, "incident 0 & <b>": false,
	} {
		if strings.Contains(page, text) != want {
			t.Errorf("%q on the page: %v, want %v", text, !want, want)
		}
	}
}

func TestIncidentsCountWhereTheyBegan(t *testing.T) {
	run, verdicts, ops := fixtureRun()
	test := run.Tests[1] // redis-setnx, unfenced, ignoring Lost
	m := measure(t, test, 0, ops[test.Name])
	for _, tt := range []struct {
		begin int64
		phase string
	}{{4 * sec, "holder-cut"}, {9 * sec, "majority-cut"}, {7 * sec, ""}} {
		verdicts.Tests[1].Result.Incidents[0].Begin = tt.begin
		row := NewModel(run, verdicts, true, map[string]Measurement{test.Name: m}).Rows[0]
		for _, b := range row.Behaviours {
			if in := slices.Contains(b.What, LetsTwoIn); in != (b.Phase == tt.phase) || in && (b.Heeding || !b.Ignoring) {
				t.Errorf("an incident at %d: %s is %+v", tt.begin, b.Phase, b)
			}
		}
	}
}

func TestTheWorstTestNamesTheBehaviour(t *testing.T) {
	blocks := PhaseMeasure{Name: "cut", Faults: []string{"f"}, What: Blocks, Recovery: measured(2 * sec), LongestGap: measured(3 * sec)}
	goesOn := PhaseMeasure{Name: "cut", Faults: []string{"f"}, What: GoesOn, Recovery: measured(sec), LongestGap: measured(sec)}
	stuck := PhaseMeasure{Name: "cut", Faults: []string{"f"}, What: Blocks, Recovery: unmeasured("nothing was granted after the heal"), LongestGap: measured(sec)}
	rare := goesOn
	rare.Attempts, rare.Grants = 9, 1
	idle := PhaseMeasure{Name: "cut", Faults: []string{"f"}, Reason: "no acquire was invoked during the fault", Recovery: measured(1)}
	test := func(heed bool, p PhaseMeasure, kinds ...string) TestRow {
		return TestRow{Test: results.Test{HeedLost: heed, Status: results.Complete}, Measured: Measurement{Phases: []PhaseMeasure{p}},
			Result: &checker.Result{Incidents: []checker.Incident{{Kinds: kinds}}}}
	}
	for _, tt := range []struct {
		tests []TestRow
		want  string
	}{
		{[]TestRow{test(true, goesOn)}, "goes on; gap 1.00 s"},
		{[]TestRow{test(true, goesOn), test(false, blocks)}, "blocks or goes on; gap 3.00 s; back in 2.00 s"},
		{[]TestRow{test(true, blocks), test(false, stuck)}, "blocks; gap 3.00 s; no recovery seen"},
		{[]TestRow{test(true, goesOn, "stale_write")}, "goes on; gap 1.00 s"},
		{[]TestRow{test(true, goesOn), test(false, goesOn, "overlap")}, "lets two in (ignoring Lost); gap 1.00 s; back in 1.00 s"},
		{[]TestRow{test(true, goesOn, "interleaved"), test(false, goesOn)}, "lets two in (heeding Lost); gap 1.00 s; back in 1.00 s"},
		{[]TestRow{test(true, goesOn, "token_regression"), test(false, blocks, "overlap")}, "lets two in (heeding Lost or not); gap 3.00 s; back in 2.00 s"},
		{[]TestRow{test(true, rare), test(false, goesOn)}, "goes on; 1 of 9 granted; gap 1.00 s"},
		{[]TestRow{test(true, idle)}, "unknown"},
		{[]TestRow{test(true, idle), test(false, goesOn)}, "goes on; gap 1.00 s"},
		{nil, "not run"},
	} {
		row := Row{Tests: tt.tests}
		if got := row.behaviour("cut").String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestDriversThatOnlyTestsName(t *testing.T) {
	run, verdicts, _ := fixtureRun()
	run.Drivers = nil
	m := NewModel(run, verdicts, true, nil)
	if len(m.Rows) != 5 || m.Rows[0].Driver.Title != "redis-setnx" || m.Tally.ExitCode() == 0 {
		t.Errorf("%d rows, exit code %d", len(m.Rows), m.Tally.ExitCode())
	}
}

func TestThePageNeedsNothingElse(t *testing.T) {
	page := render(t, HTML, fixture(t))
	for _, bad := range []string{"<script", "http://", "https://", "src=", "@import", "url(", "ZgotmplZ", "\x1b"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestTextFitsATerminal(t *testing.T) {
	m := fixture(t)
	m.Rows[0].Driver.Title = strings.Repeat("unbreakable", 9)
	m.Rows[0].Behaviours[0].Phase = strings.Repeat("x", 70)
	for line := range strings.Lines(render(t, Text, m)) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > textWidth {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x1b\r\t\n") {
			t.Errorf("control characters: %q", line)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := ParseFormat("pdf", Formats()); err == nil || !strings.Contains(err.Error(), "text, csv, html") {
		t.Errorf("%v", err)
	}
	if err := Render(io.Discard, "pdf", &Model{}, Options{}); err == nil {
		t.Error("no error")
	}
}

func TestRenderTellsWhenWritingFails(t *testing.T) {
	m := fixture(t)
	for _, f := range Formats() {
		if err := Render(fullDisk{}, f, m, Options{}); err == nil {
			t.Errorf("%s: no error", f)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestNothingIsAdvertisedAsKnown(t *testing.T) {
	m := NewModel(results.Run{Status: results.Complete}, results.Verdicts{}, true, nil)
	if !slices.Equal(m.Says, []string{"Nothing was measured: this run says nothing about any lock."}) {
		t.Errorf("%q", m.Says)
	}
	if v := (checker.Result{}); v.Exclusion.Verdict != checker.NotApplicable {
		t.Error("an absent verdict looks like one")
	}
}

func render(t *testing.T, f Format, m *Model) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, f, m, Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// emptyModel is a run that came to nothing.
func emptyModel() *Model {
	return NewModel(results.Run{Status: results.Incomplete}, results.Verdicts{}, false, nil)
}

// A violation that was found is told, however far the run says that the test came.
func TestNoStatusHidesAViolation(t *testing.T) {
	for _, status := range []results.Status{results.Complete, results.Incomplete, results.NotRun, results.Failed, results.NotApplicable} {
		run := results.Run{
			Status: results.Incomplete, Drivers: []results.Driver{{Name: "d", Title: "Lock", Status: results.Incomplete}},
			Tests: []results.Test{{Name: "d.a", Driver: "d", Status: status, HeedLost: true, Reason: "interrupted"}},
		}
		found := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Invalid, Reason: "1 overlap"}, Incidents: []checker.Incident{{Kinds: []string{"overlap"}}}}
		m := NewModel(run, results.Verdicts{Tests: []results.TestVerdict{{Test: "d.a", Result: found}}}, true, nil)
		if f := m.Rows[0].Heeding; f.State != Invalid || f.Incidents != 1 || m.Tally.Unexpected != 1 {
			t.Errorf("%s: %+v, %+v", status, f, m.Tally)
		}
		if file := render(t, JUnit, m); strings.Count(file, "<failure") != 1 {
			t.Errorf("%s: %s", status, file)
		}
	}
}
