package progress

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// grid is a terminal with a scrollback that does what tmux does when its window is resized: it breaks lines anew, scrolls as far
// as they grow, and fills a window that becomes higher from what was scrolled off. A screen that is erased as a whole
// goes into the scrollback.
type grid struct {
	rows          []gridRow // the scrollback, and then the screen
	width, height int
	scrolled      int // rows of the scrollback that come back when the window becomes higher
	x, y          int // the cursor; y counts from the first row of the screen
}

// gridRow is one row. Joined: the next one goes on with it.
type gridRow struct {
	text   []rune
	joined bool
}

func newGrid(width, height int) *grid {
	return &grid{rows: make([]gridRow, height), width: width, height: height}
}

func (g *grid) size() (width, height int) { return g.width, g.height }

// top is the row with which the screen begins.
func (g *grid) top() int { return len(g.rows) - g.height }

func (g *grid) scroll() {
	g.rows = append(g.rows, gridRow{})
	g.scrolled++
}

// Write knows what a canvas writes, and fails on all else.
func (g *grid) Write(b []byte) (int, error) {
	in := []rune(string(b))
	for len(in) > 0 {
		r := in[0]
		in = in[1:]
		switch {
		case r == '\r':
			g.x = 0
		case r == '\n':
			g.feed()
		case r == '\x1b':
			rest, err := g.control(in)
			if err != nil {
				return 0, err
			}
			in = rest
		default:
			if g.x == g.width {
				g.rows[g.top()+g.y].joined = true
				g.feed()
				g.x = 0
			}
			row := &g.rows[g.top()+g.y]
			for len(row.text) <= g.x {
				row.text = append(row.text, ' ')
			}
			row.text[g.x] = r
			g.x++
		}
	}
	return len(b), nil
}

func (g *grid) feed() {
	if g.y++; g.y == g.height {
		g.scroll()
		g.y--
	}
}

// control does what a control sequence asks for, and returns what comes after it.
func (g *grid) control(in []rune) (rest []rune, err error) {
	end := slices.IndexFunc(in, func(r rune) bool { return r >= '@' && r != '[' })
	sequence, n := string(in[:end+1]), 1
	_, _ = fmt.Sscanf(sequence, "[%d", &n) // it may have no number
	switch in[end] {
	case 'A':
		g.y = max(0, g.y-n)
	case 'B':
		g.y = min(g.height-1, g.y+n)
	case 'H':
		g.x, g.y = 0, 0
	case 'K':
		g.clear(g.y)
	case 'J':
		g.erase()
	default:
		return nil, errors.New("an unknown control sequence: " + sequence)
	}
	return in[end+1:], nil
}

func (g *grid) clear(y int) {
	i := g.top() + y
	g.rows[i] = gridRow{}
	if i > 0 {
		g.rows[i-1].joined = false
	}
}

func (g *grid) erase() {
	used := 0
	for y := range g.height {
		if len(g.rows[g.top()+y].text) > 0 {
			used = y + 1
		}
	}
	for range used {
		g.scroll()
	}
	if used > 0 {
		g.scrolled = 0
	}
}

func (g *grid) resize(width, height int) {
	cursor := g.top() + g.y
	for ; g.height > height && cursor < len(g.rows)-1; g.height-- {
		g.rows = g.rows[:len(g.rows)-1] // what is below the cursor is empty
	}
	g.scrolled += max(0, g.height-height)
	back := min(max(0, height-g.height), g.scrolled, g.top())
	g.scrolled -= back
	for range max(0, height-g.height) - back {
		g.rows = append(g.rows, gridRow{})
	}
	g.height = height
	if width != g.width {
		cursor = g.reflow(width, cursor)
	}
	g.x, g.y = 0, max(0, cursor-g.top())
}

// reflow breaks the lines anew, and returns where the cursor's row is then.
func (g *grid) reflow(width, cursor int) (moved int) {
	var rows []gridRow
	for i := 0; i < len(g.rows); i++ {
		text := g.rows[i].text
		if i == cursor {
			moved = len(rows)
		}
		for g.rows[i].joined {
			i++
			text = append(slices.Clone(text), g.rows[i].text...)
		}
		for ; len(text) > width; text = text[width:] {
			rows = append(rows, gridRow{text[:width:width], true})
		}
		rows = append(rows, gridRow{text, false})
	}
	for len(rows) < g.height {
		rows = append(rows, gridRow{})
	}
	g.rows, g.width = rows, width
	g.scrolled = min(g.scrolled, g.top())
	return moved
}

// text is what the rows hold, without the empty ones at the end.
func (g *grid) text(rows []gridRow) []string {
	var lines []string
	for _, r := range rows {
		lines = append(lines, strings.TrimRight(string(r.text), " "))
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// screen is what stands in the window, without the empty rows.
func (g *grid) screen() []string {
	return slices.DeleteFunc(g.text(g.rows[g.top():]), func(s string) bool { return s == "" })
}
