package text

import (
	"strings"

	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// matrix says what became of the data of each lock in each scenario; nil: nothing.
func (t renderer) matrix(m *report.Matrix) string {
	if m == nil {
		return ""
	}
	g := grid{header: []string{firstColumn}, numbers: true} // what stands side by side does not break
	for _, c := range m.Columns {
		g.header = append(g.header, report.Printable(c.Title))
	}
	for _, l := range m.Lines {
		row := [][]string{{report.Printable(l.Driver.Title)}}
		for _, c := range l.Cells {
			row = append(row, []string{t.matrixCell(&c)})
		}
		g.rows = append(g.rows, row)
	}
	var b strings.Builder
	b.WriteString(report.MatrixTitle + "\n")
	b.WriteString(t.paragraph(report.MatrixAbout+" "+measure.Dash+": it has no token, or is not in the scenario.") + "\n")
	b.WriteString(g.parts(t.width) + "\n")
	return b.String()
}

func (t renderer) matrixCell(c *report.MatrixCell) string {
	if c.Absent {
		return measure.Dash
	}
	return t.outcome(c.Unfenced) + " / " + t.outcome(c.Fenced)
}

func (t renderer) outcome(f report.Finding) string {
	if f.State == report.NotApplicable {
		return measure.Dash
	}
	return t.paint(f.State, string(f.Outcome()))
}
