package sample

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/folded"
	"github.com/lockbench/lockbench/internal/testkit/golden"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// Saved is the run on disk, without its verdicts.
func Saved(t *testing.T) (results.Dir, results.Run, results.Verdicts) {
	t.Helper()
	run, verdicts, ops := Raw()
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

// Rounds is as many rounds of the sample as there are numbers: in each, the first lock's acquires take so many
// percent of what they take in the sample.
func Rounds(t testing.TB, path string, percents ...int64) []*report.Model {
	t.Helper()
	var all []*report.Model
	for i, percent := range percents {
		m := Run(t)
		m.Dir = fmt.Sprintf("%s/round-%d", path, i+1)
		m.Run.Seed, m.Run.Round = uint64(i), &results.Round{N: i + 1, Of: len(percents)}
		m.Rows[0].Latency = measure.Latency{}
		for k := range int64(1000) {
			if err := m.Rows[0].Latency.Record((1000 + k) * Micro * percent / 100); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, m)
	}
	return all
}

// Empty is a run that came to nothing.
func Empty() *report.Model {
	return report.NewModel(results.Run{Status: results.Incomplete}, results.Verdicts{}, false, nil)
}

// Render renders runs.
func Render(t testing.TB, render func(io.Writer, *report.Document, report.Options) error, runs ...*report.Model) string {
	t.Helper()
	var b strings.Builder
	if err := render(&b, report.Of(runs...), report.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Golden compares what was rendered with a file of testdata. There a small object of JSON and a row of HTML
// stand on one line, and a page has only what all.html does not show.
func Golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	switch filepath.Ext(name) {
	case ".json":
		got = folded.JSON(got, 540)
	case ".html":
		got = row.ReplaceAllFunc(got, func(tr []byte) []byte { return bytes.ReplaceAll(tr, []byte("\n"), nil) })
		if name != "all.html" {
			got = news(t, got, filepath.Join("testdata", "all.html"))
		}
	}
	golden.Compare(t, path, got)
}

var row = regexp.MustCompile(`(?s)<tr .*?</tr>`)

// news is what is new in a page: one line stands for consecutive lines that a golden file of another page has as well.
func news(t *testing.T, page []byte, other string) []byte {
	t.Helper()
	text, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(string(text), "\n")
	var out strings.Builder
	same := 0
	for line := range strings.SplitSeq(string(page), "\n") {
		if slices.Contains(known, line) {
			same++
			continue
		}
		if same > 0 {
			fmt.Fprintf(&out, "… %d lines of %s\n", same, filepath.Base(other))
			same = 0
		}
		out.WriteString(line + "\n")
	}
	fmt.Fprintf(&out, "… %d lines of %s\n", same, filepath.Base(other))
	return []byte(out.String())
}
