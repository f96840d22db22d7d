package markdown

import (
	"strings"

	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// answers writes a line for each lock: what it is fit for, and why.
func (md *markdown) answers(all []report.Answer) {
	if len(all) == 0 {
		return
	}
	md.heading(2, "Which lock for which work")
	header := []string{"Lock", "Fit for", "What was seen", "Acquire"}
	md.row(header)
	md.rule(len(header))
	for i := range all {
		a := &all[i]
		md.row([]string{
			"**" + escape(a.Driver.Title) + "**", bold(a.State(), linked(a.Headline())),
			linked(strings.Join(report.NonEmpty(a.Safety(), a.Partitions()), " ")), escape(a.Latency()),
		})
	}
	md.b.WriteString("\n")
	if unseen := report.Unseen(all); unseen != "" {
		md.paragraph(escape(unseen))
	}
}

// matrix writes what became of the data of each lock in each scenario; nil: nothing.
func (md *markdown) matrix(m *report.Matrix) {
	if m == nil {
		return
	}
	md.heading(2, report.MatrixTitle)
	md.paragraph(linked(report.MatrixAbout))
	header := []string{"Lock"}
	for _, c := range m.Columns {
		header = append(header, escape(c.Title))
	}
	md.row(header)
	md.rule(len(header))
	for _, l := range m.Lines {
		cells := []string{"**" + escape(l.Driver.Title) + "**"}
		for _, c := range l.Cells {
			if c.Absent {
				cells = append(cells, measure.Dash)
			} else {
				cells = append(cells, mark(c.Unfenced.State, string(c.Unfenced.Outcome()))+" / "+mark(c.Fenced.State, string(c.Fenced.Outcome())))
			}
		}
		md.row(cells)
	}
	md.b.WriteString("\n")
}
