package progress

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	gap    = "  " // between two cells
	indent = "    "
	doing  = 3 // cells say what a driver does: itself, the test, the phase
)

// frame is what the display shows: lines of at most width columns, and at most height of them.
func (s *state) frame(now time.Time, width, height int) []string {
	lines := wrap(s.head(now), "", width)
	cells := make([][]string, len(s.rows))
	for i, r := range s.rows {
		cells[i] = r.cells(now)
	}
	widths := columns(cells)
	first := lineUp(cells, widths, width)
	for i, r := range s.rows {
		lines = append(lines, first[i]...)
		if len(r.force) > 0 {
			lines = append(lines, wrap(r.faults(), indent, width)...)
		}
	}
	if height = max(height, 1); len(lines) > height {
		lines = append(lines[:height-1], text.Snip(fmt.Sprintf("… %d more lines; the window is too low", len(lines)-height+1), width, "…"))
	}
	return lines
}

func (s *state) head(now time.Time) []string {
	cells := []string{printable(s.run.subject()), whole(now.Sub(s.began)) + " elapsed"}
	left := s.left(now)
	switch {
	case s.judging:
		return append(cells, "judging the histories")
	case s.done():
		return append(cells, "all tests are over")
	case left > 0:
		return append(cells, "about "+whole(left)+" left")
	default:
		return append(cells, "longer than expected")
	}
}

// cells are the driver and what it does. Those of all drivers that are of one kind stand below each other.
func (r *row) cells(now time.Time) []string {
	if r.test == "" {
		cells := []string{r.driver, r.stage}
		if n := r.known(); n > 0 {
			cells = append(cells, plural(n, "incident"))
		}
		return cells
	}
	setting := strings.ReplaceAll(strings.TrimPrefix(r.test, r.driver+"."), ".", " ")
	cells := []string{r.driver, fmt.Sprintf("%d/%d %s", r.number, len(r.tests), setting)}
	if r.phase == "" {
		return append(cells, "waits")
	}
	cells = append(cells, fmt.Sprintf("%s %s", r.phase, whole(now.Sub(r.phaseBegan))))
	if c := r.counts; c != nil {
		cells = append(cells, fmt.Sprintf("%.0f grants/s", c.Rate), slowest(c), fmt.Sprintf("%d of %d acquires", c.Grants, c.Attempts))
	}
	if n := r.known(); n > 0 {
		cells = append(cells, plural(n, "incident"))
	}
	return cells
}

// known is how many incidents of the driver's tests are known.
func (r *row) known() (n int) {
	for _, of := range r.incidents {
		n += of
	}
	return n
}

// slowest is the percentile of the acquires or, where they are too few for one, the longest.
func slowest(c *Counts) string {
	switch {
	case c.P99 > 0:
		return "p99 " + brief(c.P99)
	case c.Max > 0:
		return "max " + brief(c.Max)
	default:
		return "p99 –"
	}
}

func (r *row) faults() []string {
	cells := []string{indent + "in force:"}
	for _, f := range r.force {
		cells = append(cells, printable(f))
	}
	return cells
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// whole writes seconds.
func whole(d time.Duration) string { return d.Round(time.Second).String() }

// brief writes three significant digits.
func brief(d time.Duration) string {
	if d <= 0 {
		return d.String()
	}
	unit := time.Duration(math.Pow10(max(0, int(math.Log10(float64(d)))-2)))
	return d.Round(unit).String()
}

// columns are the widths of the cells that stand below each other.
func columns(rows [][]string) (widths []int) {
	for _, cells := range rows {
		for i, c := range cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], text.StringWidth(c))
		}
	}
	return widths
}

// lineUp is each row on one line, with its cells below those of the others. If not all rows fit, what a driver does gets a line,
// and the figures another; and if not even that fits, as many as it takes.
func lineUp(rows [][]string, widths []int, width int) [][]string {
	split := len(widths)
	total := len(gap) * (split - 1)
	for _, w := range widths {
		total += w
	}
	if total > width {
		split = min(split, doing)
	}
	lines := make([][]string, len(rows))
	for i, cells := range rows {
		n := min(split, len(cells))
		if line := align(cells[:n], widths); text.StringWidth(line) <= width {
			lines[i] = []string{line}
		} else {
			lines[i] = wrap(cells[:n], indent, width)
		}
		if n < len(cells) {
			lines[i] = append(lines[i], wrap(append([]string{indent + cells[n]}, cells[n+1:]...), indent, width)...)
		}
	}
	return lines
}

func align(cells []string, widths []int) string {
	var b strings.Builder
	for i, c := range cells {
		b.WriteString(text.Pad(c, widths[i], ' ') + gap)
	}
	return strings.TrimRight(b.String(), " ")
}

// wrap puts the cells one after another, and on as many lines as it takes. A cell that is wider than a line is cut.
func wrap(cells []string, indent string, width int) (lines []string) {
	line := ""
	for i, c := range cells {
		switch {
		case i == 0:
			line = c
		case text.StringWidth(line+gap+c) <= width:
			line += gap + c
		default:
			lines = append(lines, text.Snip(line, width, "…"))
			line = indent + c
		}
	}
	return append(lines, text.Snip(line, width, "…"))
}
