// Package formats lists the formats of reports. A new one is a package, and a line in All.
package formats

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/bench"
	"github.com/lockbench/lockbench/report/csv"
	"github.com/lockbench/lockbench/report/html"
	"github.com/lockbench/lockbench/report/json"
	"github.com/lockbench/lockbench/report/junit"
	"github.com/lockbench/lockbench/report/markdown"
	"github.com/lockbench/lockbench/report/measure"
	"github.com/lockbench/lockbench/report/text"
)

// Format is a way to write a document.
type Format struct {
	Name string
	// File is what it is saved as in the directory of a run, or of rounds.
	File string
	// About says in one line what it is for.
	About string
	// RunsOnly is true if it writes runs, and nothing of what they say together: there is none of a comparison.
	RunsOnly bool
	Render   func(io.Writer, *report.Document, report.Options) error
}

// All lists the formats. The first is the default.
func All() []Format {
	return []Format{
		{"text", results.TextFile, "for the terminal, one run after another", false, text.Render},
		{"csv", results.SummaryFile, "a line for each run and driver", false, csv.Render},
		{"html", results.ReportFile, "one page, which compares the runs", false, html.Render},
		{"markdown", results.MarkdownFile, "for a pull request, or the summary of a CI job", false, markdown.Render},
		{"junit", results.JUnitFile, "for CI systems: green exactly if lockbench run exits with 0", true, junit.Render},
		{"json", results.JSONFile, "everything, for programs", false, json.Render},
		{"bench", results.BenchFile, "the latencies in the Go benchmark format: benchstat compares two such files", true, bench.Render},
	}
}

// OfComparisons lists those that there are of a comparison.
func OfComparisons() []Format {
	var all []Format
	for _, f := range All() {
		if !f.RunsOnly {
			all = append(all, f)
		}
	}
	return all
}

// Find finds a format by its name.
func Find(name string, among []Format) (Format, error) {
	for _, f := range among {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("unknown format %q; there are: %s", name, strings.Join(Names(among), ", "))
}

// Names lists the names of formats.
func Names(all []Format) []string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.Name
	}
	return names
}

// Save writes the files of a document into the directory of a run, or of rounds: one for each format, and of a single
// run the histograms of its latencies, and these over time.
func Save(dir results.Dir, d *report.Document) error {
	for _, f := range All() {
		if err := dir.Write(f.File, func(w io.Writer) error { return f.Render(w, d, report.Options{}) }); err != nil {
			return err
		}
	}
	if d.Summary != nil || len(d.Runs) != 1 {
		return nil
	}
	m := d.Runs[0]
	for i := range m.Rows {
		r := &m.Rows[i]
		if err := saveHistograms(dir, r); err != nil {
			return err
		}
		timed := func(t report.TestRow) bool { return len(t.Measured.Seconds) > 0 }
		if !slices.ContainsFunc(r.Tests, timed) {
			continue
		}
		if err := dir.Write(results.LogFile(r.Driver.Name), func(w io.Writer) error { return bench.Log(w, r, m.Run.Started) }); err != nil {
			return err
		}
	}
	return nil
}

// saveHistograms writes a histogram of each kind of latency that has samples.
func saveHistograms(dir results.Dir, r *report.Row) error {
	save := func(kind string, l measure.Latency) error {
		if l.Samples == 0 {
			return nil
		}
		return dir.Write(results.HistogramFile(r.Driver.Name, kind), func(w io.Writer) error { return bench.Histogram(w, l) })
	}
	for _, k := range report.Kinds() {
		if err := save(string(k), r.Of(k)); err != nil {
			return err
		}
	}
	for i := range r.UnderFault {
		if err := save(r.UnderFault[i].Kind(), r.UnderFault[i].Latency); err != nil {
			return err
		}
	}
	return nil
}
