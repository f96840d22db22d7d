package formats_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/compare"
	"github.com/lockbench/lockbench/report/formats"
	"github.com/lockbench/lockbench/report/internal/sample"
	"github.com/lockbench/lockbench/report/measure"
	"github.com/lockbench/lockbench/report/text"
)

// TestGolden renders a run with every kind of row, one with all tables, what five rounds say together, and a
// comparison.
func TestGolden(t *testing.T) {
	rounds, compared := fiveRounds(t), comparison(t)
	few := *compared.Summary // the other drivers have the same figures
	few.Figures = few.Figures[:20]
	for _, tt := range []struct {
		name string
		*report.Document
		formats map[string]string // by the suffix of the file
	}{
		{"all", report.Of(sample.Run(t)), map[string]string{"txt": "text", "csv": "csv", "html": "html", "md": "markdown", "xml": "junit", "json": "json"}},
		{"tables", report.Of(sample.Tables(t)), map[string]string{"md": "markdown", "txt": "text", "csv": "csv", "html": "html"}},
		{"rounds", &report.Document{Summary: rounds.Summary}, map[string]string{"txt": "text", "csv": "csv", "html": "html"}},
		{"compare", compared, map[string]string{"md": "markdown", "txt": "text", "csv": "csv"}},
		{"compare", &report.Document{Summary: &few}, map[string]string{"json": "json"}},
	} {
		for suffix, name := range tt.formats {
			f, err := formats.Find(name, formats.All())
			if err != nil {
				t.Fatal(err)
			}
			t.Run(tt.name+"."+suffix, func(t *testing.T) {
				var got bytes.Buffer
				must.Succeed(t, f.Render(&got, tt.Document, report.Options{}))
				sample.Golden(t, tt.name+"."+suffix, style.ReplaceAll(got.Bytes(), nil))
				if name != "text" {
					return
				}
				for _, width := range []int{60, 120} { // without a terminal it is 80
					got.Reset()
					must.Succeed(t, f.Render(&got, tt.Document, report.Options{Width: width}))
					sample.Golden(t, fmt.Sprintf("%s.%d.txt", tt.name, width), got.Bytes())
				}
			})
		}
	}
}

// Whatever is rendered, no line is wider than the terminal.
func TestEveryTextFits(t *testing.T) {
	for name, d := range map[string]*report.Document{
		"all": report.Of(sample.Run(t)), "both": report.Of(sample.Run(t), sample.Tables(t)), "rounds": {Summary: fiveRounds(t).Summary}, "compare": comparison(t),
	} {
		for width := 40; width <= 130; width += 5 {
			var got bytes.Buffer
			must.Succeed(t, text.Render(&got, d, report.Options{Width: width, Color: width%2 == 0}))
			for line := range strings.Lines(got.String()) {
				if !lines.Fits(line, width) {
					t.Errorf("%s: more than %d columns: %q", name, width, line)
				}
			}
		}
	}
}

// style is a page's style sheet, which is a file of its own.
var style = regexp.MustCompile(`(?s)<style>.*</style>`)

// Colours tell verdicts apart, and change nothing else.
func TestColors(t *testing.T) {
	var b bytes.Buffer
	must.Succeed(t, text.Render(&b, report.Of(sample.Run(t)), report.Options{Color: true}))
	for _, want := range []string{"\x1b[32mvalid\x1b[0m", "\x1b[31;1mINVALID ×1\x1b[0m", "\x1b[31;1mfailed\x1b[0m", "\x1b[33mnot run\x1b[0m"} {
		if !bytes.Contains(b.Bytes(), []byte(want)) {
			t.Errorf("there is no %q", want)
		}
	}
	plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAll(b.Bytes(), nil)
	sample.Golden(t, "all.txt", regexp.MustCompile("(?m) +$").ReplaceAll(plain, nil))
}

func fiveRounds(t *testing.T) *report.Document {
	t.Helper()
	five := &compare.Set{Path: "results/five", Runs: sample.Rounds(t, "results/five", 100, 102, 98, 103, 99)}
	five.Runs[1].Rows[2].Heeding = report.Finding{State: report.Invalid, Incidents: 3, Complete: true}
	five.Runs[3].Run.Version = "v0.2.0"
	five.Runs[4].Run.Status = results.Incomplete
	r, err := compare.NewRounds(five)
	if err != nil {
		t.Fatal(err)
	}
	return r.Document()
}

func comparison(t *testing.T) *report.Document {
	t.Helper()
	a := &compare.Set{Path: "results/a", Runs: sample.Rounds(t, "results/a", 100, 102, 98, 103, 99)}
	b := &compare.Set{Path: "results/b", Runs: sample.Rounds(t, "results/b", 140, 142, 138, 143, 139)}
	for _, m := range b.Runs {
		m.Run.Workload.TTL, m.Run.Commit, m.Run.Direct = 4*time.Second, "4567def", true
		m.Rows[2].Heeding = report.Finding{State: report.Invalid, Incidents: 2, Complete: true}
		m.Rows = append(m.Rows[:1:1], m.Rows[2:]...)
	}
	c, err := compare.New(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return c.Document()
}

// A run that left nothing is not run, and a lock that is not in a run has a dash.
func TestSweep(t *testing.T) {
	swept := sample.Tables(t)
	swept.Rows[0].Clocks = measure.Clocks{Phases: []measure.ClockPhase{{Phase: "moved", Used: 8, Lost: 3}}}
	var got bytes.Buffer
	must.Succeed(t, text.Series(&got, []string{"0s", "10ms", "1.5ttl"}, []*report.Model{sample.Run(t), nil, swept}, report.Options{}))
	sample.Golden(t, "sweep.txt", got.Bytes())
	got.Reset()
	if err := text.Series(&got, []string{"0s"}, []*report.Model{nil}, report.Options{}); err != nil || got.Len() > 0 {
		t.Errorf("of no run: %q, %v", got.String(), err)
	}
}
