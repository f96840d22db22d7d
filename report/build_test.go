package report

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

func TestBuildReadsWhatARunSaved(t *testing.T) {
	dir, _, verdicts := savedRun(t)
	if err := dir.WriteVerdicts(&verdicts); err != nil {
		t.Fatal(err)
	}
	got, err := Build(string(dir))
	if err != nil {
		t.Fatal(err)
	}
	want := fixture(t)
	want.Dir = string(dir)
	for _, f := range Formats() {
		if g, w := render(t, f, got), render(t, f, want); g != w {
			t.Errorf("%s: the run from disk differs from the run in memory; got:\n%s", f, g)
		}
	}
	if err := Save(dir, got); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]Format{
		results.TextFile: Text, results.SummaryFile: CSV, results.ReportFile: HTML, results.MarkdownFile: Markdown,
		results.JUnitFile: JUnit, results.JSONFile: JSON, results.BenchFile: Bench,
	} {
		if b, err := os.ReadFile(dir.File(name)); err != nil || string(b) != render(t, f, want) {
			t.Errorf("%s: %v, %d bytes", name, err, len(b))
		}
	}
	wantHistograms(t, dir, want)
}

// wantHistograms wants a histogram of each driver and kind that has samples, and no other.
func wantHistograms(t *testing.T, dir results.Dir, m *Model) {
	t.Helper()
	want := map[string]string{}
	for i := range m.Rows {
		for _, k := range Kinds() {
			if l := m.Rows[i].Of(k); l.Samples > 0 {
				var b strings.Builder
				if err := renderHistogram(&b, l); err != nil {
					t.Fatal(err)
				}
				want[m.Rows[i].Driver.Name+"."+string(k)+".hgrm"] = b.String()
			}
		}
	}
	entries, err := os.ReadDir(dir.File(results.LatencyDir))
	if err != nil || len(entries) != len(want) || len(want) == 0 {
		t.Errorf("%d files: %v, want %d", len(entries), err, len(want))
	}
	for name, text := range want {
		if b, err := os.ReadFile(filepath.Join(dir.File(results.LatencyDir), name)); err != nil || string(b) != text {
			t.Errorf("%s: %v, %d bytes", name, err, len(b))
		}
	}
}

func TestBuildSurvivesACrashBeforeTheVerdicts(t *testing.T) {
	dir, run, _ := savedRun(t)
	run.Status, run.Finished = results.Incomplete, time.Time{}
	run.Tests[0].Status = results.Incomplete
	if err := errors.Join(os.Remove(dir.History(run.Tests[0].Name)), dir.WriteRun(&run)); err != nil {
		t.Fatal(err)
	}
	m, err := Build(string(dir))
	if err != nil {
		t.Fatal(err)
	}
	text := render(t, Text, m)
	for _, want := range []string{"INCOMPLETE", "This run was not judged", "verdict.json", "p99 597 µs"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not say %q:\n%s", want, text)
		}
	}
	if m.Tally.Valid != 0 || m.Tally.ExitCode() == 0 {
		t.Errorf("%+v", m.Tally)
	}
}

func TestBuildErrors(t *testing.T) {
	dir, run, _ := savedRun(t)
	path := dir.History(run.Tests[0].Name)
	if err := os.WriteFile(path, append(history.AppendLine(nil, &history.Op{Client: "nemesis", Process: -1, Type: history.OK, F: history.Phase}), "nonsense\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Build(string(dir))
	wantOneLine(t, err, path, "line 2", run.Tests[0].Name)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = Build(string(dir))
	wantOneLine(t, err, path, "no such file")
	_, err = Build(t.TempDir())
	wantOneLine(t, err, "not the directory of a run")
}

// savedRun is the fixture on disk, without its verdicts.
func savedRun(t *testing.T) (results.Dir, results.Run, results.Verdicts) {
	t.Helper()
	run, verdicts, ops := fixtureRun()
	verdicts.Format = results.Format
	dir, err := results.Create(t.TempDir(), run.Scenario, run.Started)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.WriteRun(&run); err != nil {
		t.Fatal(err)
	}
	for name, ops := range ops {
		var lines []byte
		for i := range ops {
			lines = history.AppendLine(lines, &ops[i])
		}
		if err := os.WriteFile(dir.History(name), lines, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, run, verdicts
}

func wantOneLine(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q does not say %q in one line", err, p)
		}
	}
}
