package text

import (
	"fmt"
	"io"
	"slices"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// Series writes how the locks fared in runs that differ in one value: a row for each lock, a column for each
// value. A run that left nothing is nil. Where there is no room for that, each lock has its values below each other.
func Series(w io.Writer, values []string, runs []*report.Model, opt report.Options) error {
	extra := report.Table{Title: "Two holders at once"}
	var names []string
	for i, value := range values {
		extra.Columns = append(extra.Columns, value)
		if runs[i] == nil {
			continue
		}
		for _, r := range runs[i].Rows {
			if !slices.Contains(names, r.Driver.Name) {
				names = append(names, r.Driver.Name)
				extra.Lines = append(extra.Lines, report.Line{Driver: r.Driver})
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	for i, name := range names {
		for _, m := range runs {
			extra.Lines[i].Cells = append(extra.Lines[i].Cells, report.CellOf(report.Words(exclusionOf(m, name))))
		}
	}
	_, err := io.WriteString(w, "\n"+newRenderer(opt).table(&extra))
	return err
}

// exclusionOf is in a few words whether a driver's lock ever had two holders.
func exclusionOf(m *report.Model, driver string) string {
	if m == nil {
		return string(results.NotRun)
	}
	i := slices.IndexFunc(m.Rows, func(r report.Row) bool { return r.Driver.Name == driver })
	if i < 0 {
		return measure.Dash
	}
	r := &m.Rows[i]
	worst := r.Heeding
	if worst.State == report.NotRun || r.Ignoring.State != report.NotRun && r.Ignoring.State.Severity() > worst.State.Severity() { // not run: it was not asked
		worst = r.Ignoring
	}
	if worst.State == report.Invalid {
		worst.Incidents = r.Heeding.Incidents + r.Ignoring.Incidents
	}
	words := worst.Words()
	if used, lost := r.Clocks.Total(); lost > 0 {
		words += fmt.Sprintf(", %d of %d locks", lost, used)
	}
	return words
}
