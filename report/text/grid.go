package text

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockbench/lockbench/internal/lines"
)

const (
	// titleWidth is the greatest width of a first column, which names locks.
	titleWidth = 20
	// narrowColumn is what a column may be narrowed to, unless its words are longer.
	narrowColumn = 12
	// figureWidth is the greatest width of a figure that does not break.
	figureWidth = 16
	// between is how many blanks stand between two columns.
	between = "  "
)

// grid is a table before it is known how wide its columns can be. A cell has one or more lines, painted or not.
type grid struct {
	header []string
	rows   [][][]string
	// numbers: all columns but the first are read from top to bottom, and stand at the right.
	numbers bool
	// ruled: a line between rows.
	ruled bool
}

// fit says how wide each column is in a table of that width. !ok: the words are too long for it.
func (g *grid) fit(width int) (widths []int, ok bool) {
	least := make([]int, len(g.header))
	for i, title := range g.header {
		widths = append(widths, lines.Columns(title))
		least[i] = longestWord(title)
	}
	for _, row := range g.rows {
		for i, cell := range row {
			for _, line := range cell {
				widths[i] = max(widths[i], lines.Columns(line))
				if g.numbers && i > 0 {
					least[i] = max(least[i], lines.Columns(line)) // a number does not break, but its heading may
				} else {
					least[i] = max(least[i], longestWord(line))
				}
			}
		}
	}
	for i := range least {
		if !g.numbers || i == 0 {
			least[i] = max(least[i], min(widths[i], narrowColumn))
		}
	}
	widths[0] = min(widths[0], max(titleWidth, least[0]))
	for over := sum(widths) + len(between)*(len(widths)-1) - width; over > 0; over-- {
		widest := -1
		for i, w := range widths {
			headings := g.numbers && widest == 0 // are narrowed before the titles of the rows
			if w > least[i] && (widest < 0 || headings || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return widths, false
		}
		widths[widest]--
	}
	return widths, true
}

// readable is fit, and not so narrow that more than a quarter of the lines break.
func (g *grid) readable(width int) (widths []int, ok bool) {
	widths, ok = g.fit(width)
	broken, all := 0, 0
	for _, row := range g.rows {
		for i, cell := range row {
			if i == 0 {
				continue
			}
			for _, line := range cell {
				all++
				if lines.Columns(line) > widths[i] {
					broken++
				}
			}
		}
	}
	return widths, ok && 4*broken <= all
}

// rule has a line between rows, if any has more than a line by itself.
func (g *grid) rule() {
	for _, row := range g.rows {
		for _, cell := range row {
			g.ruled = g.ruled || len(cell) > 1
		}
	}
}

// longestWord is the width of what does not break.
func longestWord(line string) (n int) {
	for _, word := range strings.Fields(lines.Glue(line, figureWidth)) {
		n = max(n, lines.Columns(word))
	}
	return n
}

func sum(all []int) (n int) {
	for _, one := range all {
		n += one
	}
	return n
}

// write writes the table with columns of those widths.
func (g *grid) write(widths []int) string {
	w := table.NewWriter()
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{SeparateHeader: true, SeparateRows: g.ruled, SeparateColumns: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", ""
	style.Box.MiddleVertical, style.Box.MiddleSeparator = between, strings.Repeat(style.Box.MiddleHorizontal, len(between))
	w.SetStyle(style)
	w.SuppressTrailingSpaces()
	var configs []table.ColumnConfig
	for i := range g.header {
		align := text.AlignLeft
		if g.numbers && i > 0 {
			align = text.AlignRight
		}
		configs = append(configs, table.ColumnConfig{
			Number: i + 1, Align: align, AlignHeader: align, VAlignHeader: text.VAlignBottom, WidthMin: widths[i],
			WidthMax: widths[i], WidthMaxEnforcer: cut,
		})
	}
	w.SetColumnConfigs(configs)
	hang := "  "
	if g.numbers {
		hang = ""
	}
	var header table.Row
	for i, title := range g.header {
		header = append(header, wrap([]string{title}, widths[i], hang))
	}
	w.AppendHeader(header)
	for _, cells := range g.rows {
		var row table.Row
		for i, cell := range cells {
			row = append(row, wrap(cell, widths[i], "  "))
		}
		for len(row) < len(header) {
			row = append(row, "")
		}
		w.AppendRow(row)
	}
	return w.Render() + "\n"
}

// cut breaks the lines that are still too long: those of which the library thinks that they are wider, as of odd letters.
func cut(cell string, width int) string {
	all := strings.Split(cell, "\n")
	for i, line := range all {
		if text.StringWidthWithoutEscSequences(line) > width {
			all[i] = text.WrapHard(line, width)
		}
	}
	return strings.Join(all, "\n")
}

// wrap breaks lines that are too long, and hangs the rest of such a line.
func wrap(texts []string, width int, hang string) string {
	var all []string
	for _, line := range texts {
		all = append(all, lines.Hang(line, width, "", hang)...)
	}
	return strings.Join(all, "\n")
}

// parts writes the table below itself, some columns at a time, each time with the first: as few parts as the width
// allows, with about as many columns in each.
func (g *grid) parts(width int) string {
	if widths, ok := g.fit(width); ok {
		return g.write(widths)
	}
	n := len(g.header) - 1
	for count := 2; count < n; count++ {
		if all, ok := g.split(count, width); ok {
			return strings.Join(all, "\n")
		}
	}
	all, _ := g.split(n, width)
	return strings.Join(all, "\n")
}

// split writes the table in so many parts. !ok: one of them is too wide, unless it breaks a word.
func (g *grid) split(count, width int) (all []string, ok bool) {
	ok = true
	n := len(g.header) - 1
	for i := range count {
		var columns []int
		for c := i*n/count + 1; c <= (i+1)*n/count; c++ {
			columns = append(columns, c)
		}
		part := g.only(columns)
		widths, fits := part.fit(width)
		if !fits && len(columns) == 1 {
			widths[1] = max(min(widths[1], width-widths[0]-len(between)), 1)
		}
		ok = ok && fits
		all = append(all, part.write(widths))
	}
	return all, ok
}

// only is the table with its first column and those.
func (g *grid) only(columns []int) *grid {
	part := &grid{header: []string{g.header[0]}, numbers: g.numbers, ruled: g.ruled}
	for _, c := range columns {
		part.header = append(part.header, g.header[c])
	}
	for _, cells := range g.rows {
		row := [][]string{cells[0]}
		for _, c := range columns {
			if c < len(cells) { // a row may be a title alone
				row = append(row, cells[c])
			}
		}
		part.rows = append(part.rows, row)
	}
	return part
}
