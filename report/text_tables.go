package report

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// extra writes a table beside the comparison, under its name and with what its columns hold. A driver of which nothing was
// measured has the reason in place of its cells.
func (t textRenderer) extra(extra *Table) string {
	first := columns[0]
	width := (textWidth-first.width-1)/len(extra.Columns) - 2 // two spaces between columns
	header := table.Row{text.Pad(first.title, first.width, ' ')}
	for _, c := range extra.Columns {
		header = append(header, text.Pad(c, width, ' '))
	}
	w := newTable()
	w.AppendHeader(header)
	for _, line := range extra.Lines {
		row := table.Row{wrap([]string{line.Driver.Title}, first.width)}
		if len(line.Cells) == 0 {
			row = append(row, wrap([]string{dash, printable(line.Reason)}, width))
		}
		for _, cell := range line.Cells {
			lines := make([]string, len(cell))
			for i, l := range cell {
				lines[i] = printable(l)
			}
			row = append(row, wrap(lines, width))
		}
		for len(row) < len(header) {
			row = append(row, "")
		}
		w.AppendRow(row)
	}
	var b strings.Builder
	b.WriteString(extra.Title + "\n")
	if extra.About != "" {
		b.WriteString(paragraph(extra.About))
	}
	b.WriteString("\n" + w.Render() + "\n\n")
	return b.String()
}
