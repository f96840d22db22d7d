package markdown

import (
	"strings"

	"github.com/lockbench/lockbench/report"
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
			"**" + escape(a.Driver.Title) + "**", mark(a.State(), a.Headline()),
			escape(strings.Join(report.NonEmpty(a.Safety(), a.Partitions()), " ")), escape(a.Latency()),
		})
	}
	md.b.WriteString("\n")
	if unseen := report.Unseen(all); unseen != "" {
		md.paragraph(escape(unseen))
	}
}
