package text

import (
	"strings"

	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/report"
)

// narrowest is the least width that a line is laid out for.
const narrowest = 40

// renderer writes lines of at most that many columns, unless a single word is longer.
type renderer struct {
	width int
	color bool
}

func newRenderer(opt report.Options) renderer {
	width := opt.Width
	if width <= 0 {
		width = report.DefaultWidth
	}
	return renderer{max(width, narrowest), opt.Color}
}

// paragraph is a text of whole lines.
func (t renderer) paragraph(s string) string { return t.hung(s, "", "") }

// hung is a text whose first line begins with first, and whose others begin with rest.
func (t renderer) hung(s, first, rest string) string {
	return strings.Join(lines.Hang(report.Printable(s), t.width, first, rest), "\n") + "\n"
}

// section is a list of paragraphs under a heading.
func (t renderer) section(b *strings.Builder, heading string, paragraphs []string) {
	if len(paragraphs) == 0 {
		return
	}
	b.WriteString(t.paragraph(heading))
	for _, p := range paragraphs {
		b.WriteString(t.hung(p, "  - ", "    "))
	}
	b.WriteString("\n")
}

// block is a row of a table that is too wide: a heading, and below it an entry for each column.
func (t renderer) block(heading []string, entries []lines.Entry) string {
	var b strings.Builder
	for i, line := range heading {
		lead := "  "
		if i == 0 {
			lead = ""
		}
		b.WriteString(strings.Join(lines.Hang(line, t.width, lead, "    "), "\n") + "\n")
	}
	return b.String() + lines.Beside(entries, t.width)
}
