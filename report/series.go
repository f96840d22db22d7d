package report

import (
	"fmt"
	"io"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/lockbench/lockbench/internal/results"
)

// RenderSeries writes how the locks fared in runs that differ in one value: a row for each lock, a column for each
// value. A run that left nothing is nil.
func RenderSeries(w io.Writer, values []string, runs []*Model) error {
	t := newTable()
	header := table.Row{"Two holders at once"}
	var names []string
	titles := map[string]string{}
	for i, value := range values {
		header = append(header, value)
		if runs[i] == nil {
			continue
		}
		for _, r := range runs[i].Rows {
			if !slices.Contains(names, r.Driver.Name) {
				names, titles[r.Driver.Name] = append(names, r.Driver.Name), r.Driver.Title
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	t.AppendHeader(header)
	for _, name := range names {
		row := table.Row{wrap([]string{titles[name]}, columns[0].width)}
		for _, m := range runs {
			row = append(row, wrap([]string{m.exclusionOf(name)}, 16))
		}
		t.AppendRow(row)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", t.Render())
	return err
}

// exclusionOf is in a few words whether a driver's lock ever had two holders.
func (m *Model) exclusionOf(driver string) string {
	if m == nil {
		return string(results.NotRun)
	}
	i := slices.IndexFunc(m.Rows, func(r Row) bool { return r.Driver.Name == driver })
	if i < 0 {
		return dash
	}
	r := &m.Rows[i]
	worst := r.Heeding
	if worst.State == NotRun || r.Ignoring.State != NotRun && r.Ignoring.State.severity() > worst.State.severity() { // not run: it was not asked
		worst = r.Ignoring
	}
	if worst.State == Invalid {
		worst.Incidents = r.Heeding.Incidents + r.Ignoring.Incidents
	}
	words := worst.Words()
	if used, lost := r.Clocks.total(); lost > 0 {
		words += fmt.Sprintf(", %d of %d locks", lost, used)
	}
	return words
}
