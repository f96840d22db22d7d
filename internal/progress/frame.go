package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockbench/lockbench/internal/units"
)

const (
	gap    = "  " // between two cells
	indent = "    "
	doing  = 3 // cells say what a driver does: itself, the test, the phase
)

// frame is what the display shows: lines of at most width columns, and at most height of them. If they would leave no room below
// height for what was told last, each driver gets one line: an incident must not go off a low window before its figures.
func (s *state) frame(now time.Time, width, height, room int) []string {
	height = max(height, 1)
	lines := s.full(now, width)
	if len(lines) > height-room {
		lines = s.low(now, width)
	}
	if len(lines) > height {
		lines = append(lines[:height-1], text.Snip(fmt.Sprintf("… %d more lines", len(lines)-height+1), width, "…"))
	}
	return lines
}

func (s *state) full(now time.Time, width int) []string {
	lines := wrap(s.head(now), "", width)
	cells := make([][]string, len(s.rows))
	for i, r := range s.rows {
		cells[i] = s.cells(r, now)
	}
	first := lineUp(cells, columns(cells), width)
	for i, r := range s.rows {
		lines = append(lines, first[i]...)
		if len(r.force) > 0 {
			lines = append(lines, wrap(r.faults(), indent, width)...)
		}
	}
	return lines
}

// low is the frame of a low window: what fits on one line for each driver, without what changes least.
func (s *state) low(now time.Time, width int) []string {
	lines := []string{text.Snip(strings.Join(s.head(now), gap), width, "…")}
	cells := make([][]string, len(s.rows))
	for i, r := range s.rows {
		cells[i] = []string{r.driver}
		if r.phase == "" {
			cells[i] = append(cells[i], s.pause(r))
		} else {
			cells[i] = append(append(cells[i], r.doing(now)), r.figures()...)
		}
		cells[i] = append(cells[i], r.known()...)
	}
	widths := columns(cells)
	for _, c := range cells {
		lines = append(lines, text.Snip(align(c, widths), width, "…"))
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
func (s *state) cells(r *row, now time.Time) []string {
	cells := []string{r.driver}
	switch {
	case r.test == "":
		cells = append(cells, s.pause(r))
	case r.phase == "":
		cells = append(cells, r.setting(), s.pause(r))
	default:
		cells = append(append(cells, r.setting(), r.doing(now)), r.figures()...)
		if c := r.counts; c != nil {
			cells = append(cells, fmt.Sprintf("%d granted of %d", c.Grants, c.Attempts))
		}
	}
	return append(cells, r.known()...)
}

// setting says which test is under way, in the words of the report.
func (r *row) setting() string {
	about := strings.Split(strings.TrimPrefix(r.test, r.driver+"."), ".")
	for i, a := range about {
		switch a {
		case "fencing-off":
			about[i] = "unfenced"
		case "fencing-on":
			about[i] = "fenced"
		case "heed-on":
			about[i] = "heeding"
		case "heed-off":
			about[i] = "ignoring"
		}
	}
	return fmt.Sprintf("test %d of %d: %s", r.number, len(r.tests), strings.Join(about, ", "))
}

// doing is the phase under way.
func (r *row) doing(now time.Time) string { return r.phase + " " + whole(now.Sub(r.phaseBegan)) }

func (r *row) figures() []string {
	if r.counts == nil {
		return nil
	}
	return []string{fmt.Sprintf("%.0f grants/s", r.counts.Rate), slowest(r.counts)}
}

// known says how many incidents of the driver's tests are known, and of how many tests that is, once there are several.
func (r *row) known() []string {
	n := 0
	for _, of := range r.incidents {
		n += of
	}
	switch {
	case n == 0:
		return nil
	case r.number > 1:
		return []string{units.Plural(n, "incident") + " in " + units.Plural(r.number, "test")}
	}
	return []string{units.Plural(n, "incident")}
}

// slowest is the percentile of the acquires or, where they are too few for one, the longest.
func slowest(c *Counts) string {
	switch {
	case c.P99 > 0:
		return "p99 " + units.Duration(c.P99)
	case c.Max > 0:
		return "max " + units.Duration(c.Max)
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
