package report

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// extra writes a table beside the comparison, under its name and with what its columns hold.
func (t textRenderer) extra(extra *Table) string {
	var b strings.Builder
	b.WriteString(extra.Title + "\n")
	if extra.About != "" {
		b.WriteString(paragraph(extra.About))
	}
	if extra.Numbers {
		b.WriteString("\n" + numbersText(extra))
	} else {
		b.WriteString("\n" + t.linesText(extra))
	}
	b.WriteString("\n")
	return b.String()
}

// linesText writes cells of several lines. A driver of which nothing was measured has the reason in place of its cells.
func (t textRenderer) linesText(extra *Table) string {
	first := columns[0]
	width := (textWidth-first.width-1)/len(extra.Columns) - 2 // two spaces between columns
	header := table.Row{text.Pad(first.title, first.width, ' ')}
	for _, c := range extra.Columns {
		header = append(header, text.Pad(c, width, ' '))
	}
	w := newTable()
	w.AppendHeader(header)
	for _, line := range extra.Lines {
		row := table.Row{wrap(append([]string{printable(line.Driver.Title)}, nonEmpty(line.Complexity)...), first.width)}
		if len(line.Cells) == 0 {
			row = append(row, wrap([]string{dash, printable(line.Reason)}, width))
		}
		for _, c := range line.Cells {
			lines := make([]string, len(c))
			for i, l := range c {
				lines[i] = t.paint(l.State, indented(l.Text))
			}
			row = append(row, wrap(lines, width))
		}
		for len(row) < len(header) {
			row = append(row, "")
		}
		w.AppendRow(row)
	}
	return w.Render() + "\n"
}

// indented is printable, but keeps the blanks before the text.
func indented(s string) string {
	rest := strings.TrimLeft(s, " ")
	return strings.Repeat(" ", len(s)-len(rest)) + printable(rest)
}

// numbersText writes a line for each driver that has numbers, and below them why the others have none.
func numbersText(extra *Table) string {
	w := newTable()
	w.Style().Options.SeparateRows = false
	header := table.Row{text.Pad(columns[0].title, columns[0].width, ' ')}
	var configs []table.ColumnConfig
	for i, c := range extra.Columns {
		header = append(header, c)
		configs = append(configs, table.ColumnConfig{Number: i + 2, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	w.SetColumnConfigs(configs)
	w.AppendHeader(header)
	var reasons []string
	without := map[string][]string{} // drivers by reason
	for _, line := range extra.Lines {
		if len(line.Cells) == 0 {
			if without[line.Reason] == nil {
				reasons = append(reasons, line.Reason)
			}
			without[line.Reason] = append(without[line.Reason], line.Driver.Title)
			continue
		}
		row := table.Row{wrap([]string{printable(line.Driver.Title)}, columns[0].width)}
		for _, c := range line.Cells {
			row = append(row, strings.Join(c.texts(), ", "))
		}
		w.AppendRow(row)
	}
	var b strings.Builder
	if w.Length() > 0 {
		b.WriteString(w.Render() + "\n")
	}
	for _, reason := range reasons {
		b.WriteString(paragraph(dash + " " + list(without[reason]) + ": " + reason))
	}
	return b.String()
}
