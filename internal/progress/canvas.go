package progress

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Control sequences of ECMA-48, which every terminal knows.
const (
	up        = "\x1b[%dA" // lines, at most to the first
	down      = "\x1b[B"   // a line, unless it is the last
	clearLine = "\x1b[2K"
	home      = "\x1b[H"
	clearAll  = "\x1b[2J"
)

// remembered is how many messages are written again in a window that was resized, though they are in its scrollback.
const remembered = 10

// canvas writes messages and, below them, a frame that takes the place of the one before. It remembers what it wrote: in a
// window of another size most terminals break the lines anew, push the first of them into the scrollback, and fetch them back.
//
// A whole screen is never erased while anything of ours is on it: terminals save it to the scrollback then, and dead frames
// with it. Rows are erased one by one instead.
type canvas struct {
	w             io.Writer
	width, height int      // of the window when it was drawn on; 0: it was not
	above         int      // rows between the top of the window and the cursor, at most
	messages      []string // all of them, oldest first
	told          int      // of them, how many were written
	lines         []line   // that were written and may still be there, in the window or above it; the frame's are the last
	frame         []string
}

// line is one that was written.
type line struct {
	width   int
	message int // the line ends so many messages; 0: it does not end one, or belongs to the frame
}

// rows is how many a line takes in a window.
func (l line) rows(width int) int { return max(1, (l.width+width-1)/width) }

// draw writes the messages that were not written yet, and the frame.
func (c *canvas) draw(frame []string, width, height int) error {
	var b strings.Builder
	old := len(c.frame)
	switch {
	case len(c.lines) == 0:
		c.above = height - 1
	case c.width != width || c.height != height:
		c.restart(&b, width, height, len(frame))
		old = 0
	default:
		if c.lines = c.lines[:len(c.lines)-old]; old > 0 {
			fmt.Fprintf(&b, "\r"+up, old)
		}
	}
	written := 0
	write := func(s string, message int) {
		b.WriteString(clearLine + s + "\r\n")
		c.lines = append(c.lines, line{text.StringWidth(s), message})
		written++
	}
	for ; c.told < len(c.messages); c.told++ {
		folded := fold(c.messages[c.told], free(width))
		for i, s := range folded {
			message := 0
			if i == len(folded)-1 {
				message = c.told + 1
			}
			write(s, message)
		}
	}
	for _, s := range frame {
		write(s, 0)
	}
	if c.width > 0 { // what was typed stands where the cursor was, below the frame
		erase(&b, old+1-written)
	}
	c.width, c.height, c.frame = width, height, frame
	c.above = min(c.above-old+written, height-1)
	if _, err := io.WriteString(c.w, b.String()); err != nil {
		return fmt.Errorf("draw the run's progress: %w", err)
	}
	return nil
}

// free is how wide a line may be. The last column stays free: some terminals go on to the next line when it is written to.
func free(width int) int { return max(width-1, 1) }

// erase clears n rows from that of the cursor on, and leaves it in the first of them.
func erase(b *strings.Builder, n int) {
	if n <= 0 {
		return
	}
	b.WriteString("\r" + clearLine + strings.Repeat(down+clearLine, n-1))
	if n > 1 {
		fmt.Fprintf(b, up, n-1)
	}
}

// restart erases all that is ours in a window that was resized, saves what else is there to the scrollback, and leaves so many rows
// empty that what comes now ends at the bottom: there all terminals do the same when the window is made smaller, and what
// they push into the scrollback are the empty rows. What was erased is to be written again and, if there is room above
// so many lines of a frame, what was told before.
func (c *canvas) restart(b *strings.Builder, width, height, frame int) {
	rows := 0
	for _, l := range c.lines {
		rows += l.rows(width)
	}
	mine := min(rows, height-1)
	b.WriteString("\r")
	if mine > 0 {
		fmt.Fprintf(b, up, mine)
	}
	erase(b, mine+1)
	b.WriteString(home + clearAll)

	// A window that is made higher is filled from the scrollback.
	c.hide(rows-min(c.above+max(0, height-c.height), height-1), width)
	c.told = 0
	for _, l := range c.lines {
		c.told = max(c.told, l.message)
	}
	c.above = 0
	room := height - 1 - frame
	for _, m := range c.messages[c.told:] {
		room -= len(fold(m, free(width)))
	}
	for c.told > max(0, len(c.messages)-remembered) {
		more := len(fold(c.messages[c.told-1], free(width)))
		if more > room {
			break
		}
		room -= more
		c.told--
	}
	for range room {
		b.WriteString("\r\n")
		c.lines = append(c.lines, line{})
		c.above++
	}
}

// hide leaves those lines that went into the scrollback with the first rows, where they cannot be erased for now.
func (c *canvas) hide(rows, width int) {
	for i, l := range c.lines {
		n := l.rows(width)
		switch {
		case rows <= 0:
			c.lines = c.lines[:i]
			return
		case n > rows:
			c.lines[i] = line{width: rows * width} // a part of it
		}
		rows -= n
	}
}
