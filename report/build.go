package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

// Build reads the run in a directory, as far as it came, and builds its model. The error is one line that names
// the file; a history that is none wraps a *history.LineError.
func Build(dir string) (*Model, error) {
	saved, err := results.Load(dir)
	if err != nil {
		return nil, err
	}
	measured := map[string]Measurement{}
	for i := range saved.Run.Tests {
		test := &saved.Run.Tests[i]
		ops, err := readHistory(saved.Dir.History(test.Name))
		if errors.Is(err, fs.ErrNotExist) && test.Status != results.Complete {
			continue // it did not come so far
		}
		if err != nil {
			return nil, fmt.Errorf("read the history of test %s: %w", test.Name, err)
		}
		if measured[test.Name], err = Measure(&saved.Run, test, ops, verdictOn(saved.Verdicts, test.Name)); err != nil {
			return nil, err
		}
	}
	m := NewModel(saved.Run, saved.Verdicts, saved.Judged, measured)
	m.Dir = dir
	return m, nil
}

// verdictOn finds the verdict on a test; nil: it was not judged.
func verdictOn(all results.Verdicts, test string) *results.TestVerdict {
	i := slices.IndexFunc(all.Tests, func(v results.TestVerdict) bool { return v.Test == test })
	if i < 0 {
		return nil
	}
	return &all.Tests[i]
}

// Save writes what the run's directory holds of the report: a file for each format, and the histograms.
func Save(dir results.Dir, m *Model) error {
	err := save(dir, func(w io.Writer, f Format) error { return Render(w, f, m, Options{}) })
	if err != nil {
		return err
	}
	return saveHistograms(dir, m)
}

// save writes a file for each format.
func save(dir results.Dir, render func(io.Writer, Format) error) error {
	for _, f := range []struct {
		name   string
		format Format
	}{
		{results.TextFile, Text}, {results.SummaryFile, CSV}, {results.ReportFile, HTML}, {results.MarkdownFile, Markdown},
		{results.JUnitFile, JUnit}, {results.JSONFile, JSON}, {results.BenchFile, Bench},
	} {
		if err := dir.Write(f.name, func(w io.Writer) error { return render(w, f.format) }); err != nil {
			return err
		}
	}
	return nil
}

// saveHistograms writes a histogram of each driver and kind of latency that has samples.
func saveHistograms(dir results.Dir, m *Model) error {
	for i := range m.Rows {
		for _, k := range Kinds() {
			l := m.Rows[i].Of(k)
			if l.Samples == 0 {
				continue
			}
			name := results.HistogramFile(m.Rows[i].Driver.Name, string(k))
			if err := dir.Write(name, func(w io.Writer) error { return renderHistogram(w, l) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// lineSize is about how many bytes a line of a history has.
const lineSize = 128

func readHistory(path string) (ops []history.Op, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	if info, err := f.Stat(); err == nil {
		ops = make([]history.Op, 0, info.Size()/lineSize) // growing it would copy it several times
	}
	for r := history.NewReader(f); ; {
		op, err := r.Next()
		if errors.Is(err, io.EOF) {
			return ops, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		ops = append(ops, op)
	}
}
