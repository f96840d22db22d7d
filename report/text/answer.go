package text

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// answers says of each lock what it is fit for and what it costs in a table that fits the first screen, and below that
// why.
func (t renderer) answers(all []report.Answer) string {
	if len(all) == 0 {
		return ""
	}
	g := grid{header: []string{firstColumn, "Fit for", "p99 uncontended", "p99 contended"}}
	for i := range all {
		a := &all[i]
		g.rows = append(g.rows, [][]string{
			{report.Printable(a.Driver.Title)}, {t.paint(a.State(), report.Printable(a.Short())), a.By()},
			p99(a.Uncontended), p99(a.Contended),
		})
	}
	var b strings.Builder
	b.WriteString("Which lock for which work\n" + t.paragraph(way(all)+"The rules V1 to V5 are in docs/verdicts.md.") + "\n")
	if widths, ok := g.readable(t.width); ok {
		b.WriteString(g.write(widths))
	} else {
		b.WriteString(t.blocks(&g))
	}
	b.WriteString("\n")
	for i := range all {
		a := &all[i]
		b.WriteString(t.hung(a.Driver.Title+": "+a.Headline(), "", "  "))
		for _, line := range report.NonEmpty(a.Safety(), a.Partitions()) {
			b.WriteString(t.hung(line, "  ", "  "))
		}
	}
	b.WriteString("\n")
	if unseen := report.Unseen(all); unseen != "" {
		b.WriteString(t.paragraph(unseen) + "\n")
	}
	return b.String()
}

// p99 is a latency in a cell with its samples.
func p99(l measure.Latency) []string {
	if l.Samples == 0 {
		return []string{measure.Dash}
	}
	words := report.P99(l)
	if q := l.Quantile(0.99); q.Measured {
		words = q.String() // as the column says
	}
	return []string{words, fmt.Sprintf("n %d", l.Samples)}
}

// way says how the acquires went to the servers.
func way(all []report.Answer) string {
	var order []string
	by := map[string][]string{}
	for i := range all {
		if a := &all[i]; a.Uncontended.Samples > 0 {
			if by[a.Way()] == nil {
				order = append(order, a.Way())
			}
			by[a.Way()] = append(by[a.Way()], a.Driver.Title)
		}
	}
	switch len(order) {
	case 0:
		return ""
	case 1:
		return "Latencies: " + order[0] + ". "
	default:
		return fmt.Sprintf("Latencies: %s %s, the others %s. ", report.List(by[order[0]]), order[0], order[1])
	}
}
