package formats_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/bench"
	"github.com/lockbench/lockbench/report/formats"
	"github.com/lockbench/lockbench/report/internal/sample"
	"github.com/lockbench/lockbench/report/measure"
	"github.com/lockbench/lockbench/report/text"
)

func TestBuildReadsWhatARunSaved(t *testing.T) {
	dir, _, verdicts := sample.Saved(t)
	must.Succeed(t, dir.WriteVerdicts(&verdicts))
	got, err := report.Build(string(dir))
	if err != nil {
		t.Fatal(err)
	}
	want := sample.Run(t)
	want.Dir = string(dir)
	must.Succeed(t, formats.Save(dir, report.Of(got)))
	for _, f := range formats.All() {
		w := sample.Render(t, f.Render, want)
		if g := sample.Render(t, f.Render, got); g != w {
			t.Errorf("%s: the run from disk differs from the run in memory; got:\n%s", f.Name, g)
		}
		if b, err := os.ReadFile(dir.File(f.File)); err != nil || string(b) != w {
			t.Errorf("%s: %v, %d bytes", f.File, err, len(b))
		}
	}
	wantHistograms(t, dir, want)
}

// wantHistograms wants a histogram of each driver and kind that has samples, a log of each driver that has any, and no
// other file.
func wantHistograms(t *testing.T, dir results.Dir, m *report.Model) {
	t.Helper()
	want := map[string]string{}
	add := func(r *report.Row, kind string, l measure.Latency) {
		if l.Samples > 0 {
			var b strings.Builder
			must.Succeed(t, bench.Histogram(&b, l))
			want[r.Driver.Name+"."+kind+".hgrm"] = b.String()
		}
	}
	for i := range m.Rows {
		r := &m.Rows[i]
		for _, k := range report.Kinds() {
			add(r, string(k), r.Of(k))
		}
		for k := range r.UnderFault {
			add(r, "under-fault."+r.UnderFault[k].Phase, r.UnderFault[k].Latency)
		}
		if r.Latency.Samples > 0 {
			var b strings.Builder
			must.Succeed(t, bench.Log(&b, r, m.Run.Started))
			want[r.Driver.Name+".hlog"] = b.String()
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
	dir, run, _ := sample.Saved(t)
	run.Status, run.Finished = results.Incomplete, time.Time{}
	run.Tests[0].Status = results.Incomplete
	must.Succeed(t, errors.Join(os.Remove(dir.History(run.Tests[0].Name)), dir.WriteRun(&run)))
	m, err := report.Build(string(dir))
	if err != nil {
		t.Fatal(err)
	}
	text := sample.Render(t, text.Render, m)
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
	dir, run, _ := sample.Saved(t)
	path := dir.History(run.Tests[0].Name)
	must.Succeed(t, os.WriteFile(path, append(history.AppendLine(nil, &history.Op{Client: "nemesis", Process: -1, Type: history.OK, F: history.Phase}), "nonsense\n"...), 0o600))
	damaged, err := report.Build(string(dir))
	must.Succeed(t, err)
	if why := damaged.Rows[0].Tests[0].Measured.Latency.Reason; !strings.Contains(why, "line 2") {
		t.Errorf("of a damaged history it says %q", why)
	}
	must.Succeed(t, os.Remove(path))
	_, err = report.Build(string(dir))
	wantOneLine(t, err, path, "no such file")
	_, err = report.Build(t.TempDir())
	wantOneLine(t, err, "not the directory of a run")
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
