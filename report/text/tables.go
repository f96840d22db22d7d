package text

import (
	"cmp"
	"strings"

	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// table writes a table beside the comparison.
func (t renderer) table(extra *report.Table) string {
	var b strings.Builder
	b.WriteString(t.paragraph(extra.Title))
	if extra.About != "" {
		b.WriteString(t.paragraph(extra.About))
	}
	if extra.Numbers {
		b.WriteString("\n" + t.numbers(extra))
	} else {
		b.WriteString("\n" + t.cells(extra))
	}
	b.WriteString("\n")
	return b.String()
}

// firstColumn names the locks.
const firstColumn = "Approach"

// cells writes cells of several lines each or, where there is no room for that, a block for each line.
func (t renderer) cells(extra *report.Table) string {
	g := grid{header: append([]string{firstColumn}, extra.Columns...)}
	var reasons []string
	for _, line := range extra.Lines {
		if len(line.Cells) == 0 {
			reasons = append(reasons, t.without([]string{line.Driver.Title}, line.Reason))
			continue
		}
		row := [][]string{t.heading(line)}
		for _, c := range line.Cells {
			row = append(row, t.cell(c))
		}
		g.rows = append(g.rows, row)
	}
	var b strings.Builder
	if len(g.rows) > 0 {
		g.rule()
		if widths, ok := g.readable(t.width); ok {
			b.WriteString(g.write(widths))
		} else {
			b.WriteString(t.blocks(&g))
			if len(reasons) > 0 {
				b.WriteString("\n")
			}
		}
	}
	return b.String() + strings.Join(reasons, "")
}

// without says why locks have nothing in a table.
func (t renderer) without(titles []string, reason string) string {
	return t.hung(report.List(titles)+": "+cmp.Or(reason, measure.Dash), "", "  ")
}

// blocks writes a block for each row: its title, and an entry for each column.
func (t renderer) blocks(g *grid) string {
	var all []string
	for _, row := range g.rows {
		var entries []lines.Entry
		for i, cell := range row[1:] {
			entries = append(entries, lines.Entry{Label: report.Printable(g.header[i+1]), Lines: cell})
		}
		all = append(all, t.block(row[0], entries))
	}
	return strings.Join(all, "\n")
}

// heading is what the first column says.
func (renderer) heading(line report.Line) []string {
	return append([]string{report.Printable(line.Driver.Title)}, report.NonEmpty(report.Printable(line.Under))...)
}

func (t renderer) cell(c report.Cell) []string {
	all := make([]string, len(c))
	for i, l := range c {
		words := indented(l.Text())
		if l.Label != "" && lines.Columns(words) <= figureWidth {
			words = lines.Unbroken(words)
		}
		all[i] = t.paint(l.State, words)
	}
	return all
}

// indented is printable, and keeps the blanks at the begin.
func indented(s string) string {
	rest := strings.TrimLeft(s, " ")
	return strings.Repeat(" ", len(s)-len(rest)) + report.Printable(rest)
}

// numbers writes one number a cell, so that a column is read from top to bottom.
func (t renderer) numbers(extra *report.Table) string {
	g := grid{header: append([]string{firstColumn}, extra.Columns...), numbers: true}
	var reasons []string
	without := map[string][]string{} // drivers by reason
	title := ""
	for _, line := range extra.Lines {
		if len(line.Cells) == 0 {
			if without[line.Reason] == nil {
				reasons = append(reasons, line.Reason)
			}
			without[line.Reason] = append(without[line.Reason], line.Driver.Title)
			continue
		}
		first := []string{report.Printable(line.Driver.Title)}
		if line.Under != "" { // one title for all lines of a lock
			if title != line.Driver.Title {
				g.rows = append(g.rows, [][]string{first})
			}
			first = []string{"  " + report.Printable(line.Under)}
		}
		title = line.Driver.Title
		row := [][]string{first}
		for _, c := range line.Cells {
			row = append(row, []string{strings.Join(c.Lines(), ", ")})
		}
		g.rows = append(g.rows, row)
	}
	var b strings.Builder
	if len(g.rows) > 0 {
		b.WriteString(g.parts(t.width))
	}
	for _, reason := range reasons {
		b.WriteString(t.without(without[reason], reason))
	}
	return b.String()
}
