package progress

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockbench/lockbench/internal/results"
)

// Control sequences of ECMA-48, which every terminal knows.
const (
	up         = "\x1b[%dA" // lines
	clearLine  = "\x1b[2K"
	clearBelow = "\x1b[J"
	clearAll   = "\x1b[H\x1b[2J"
)

// remembered is how many messages are written again when the screen had to be cleared.
const remembered = 10

// Live draws a display again and again at the bottom of a terminal, below what is worth keeping. It leaves nothing behind that
// would have to be undone (the cursor stays visible, and a frame is one write that ends with a line): the program may end
// or be killed at any moment.
type Live struct {
	w    io.Writer
	size func() (width, height int)
	now  func() time.Time

	state *state
	drawn []string // the frame on the screen
	kept  []string // the newest messages above it
}

// NewLive returns a Live that draws on w. Size is asked before each frame, because windows change.
func NewLive(w io.Writer, size func() (width, height int), now func() time.Time) *Live {
	return &Live{w: w, size: size, now: now, state: newState()}
}

// Show implements Renderer.
func (l *Live) Show(events []Event) error {
	var messages []string
	for _, e := range events {
		if m := l.message(e); m != "" {
			messages = append(messages, m)
		}
		l.state.apply(e)
	}
	width, height := l.size()
	var frame []string
	if len(l.state.rows) > 0 {
		// The last column stays free: some terminals go on to the next line when it is written to. So does the cursor's line.
		frame = l.state.frame(l.now(), max(width-1, 1), height-1)
	}
	return l.draw(messages, frame, width)
}

// Close implements Renderer: the frame goes, the messages stay.
func (l *Live) Close() error {
	width, _ := l.size()
	return l.draw(nil, nil, width)
}

// message is what stays of an event above the frame; empty: nothing does.
func (l *Live) message(e Event) string {
	switch e.Kind {
	case RunStarted, DriverOut, Violation, Note:
		return Line(e)
	case TestEnded:
		return l.ended(e)
	}
	return ""
}

func (l *Live) ended(e Event) string {
	for _, r := range l.state.rows {
		if r.driver != e.Driver {
			continue
		}
		s := fmt.Sprintf("%s: %s after %s", e.Test, e.Status, whole(e.Time.Sub(r.testBegan)))
		if n := r.incidents[e.Test]; n > 0 {
			s += ", " + plural(n, "incident") + " so far"
		}
		if e.Status != results.Complete {
			s += ": " + e.Reason
		}
		return printable(s)
	}
	return ""
}

// draw puts the messages and the frame in the place of the frame before.
func (l *Live) draw(messages, frame []string, width int) error {
	l.kept = append(l.kept, messages...)
	l.kept = l.kept[max(0, len(l.kept)-remembered):]
	var b strings.Builder
	switch {
	case l.scattered(width):
		b.WriteString(clearAll)
		messages = l.kept
	case len(l.drawn) > 0:
		fmt.Fprintf(&b, "\r"+up, len(l.drawn))
	}
	if len(messages) > 0 {
		b.WriteString(clearBelow)
	}
	for _, m := range messages {
		b.WriteString(m + "\r\n")
	}
	for _, line := range frame {
		b.WriteString(clearLine + line + "\r\n")
	}
	if len(l.drawn) > 0 {
		b.WriteString(clearBelow)
	}
	l.drawn = frame
	if _, err := io.WriteString(l.w, b.String()); err != nil {
		return fmt.Errorf("draw the run's progress: %w", err)
	}
	return nil
}

// scattered reports whether the window was made so narrow that the frame on it is not where it was drawn: most terminals break
// its lines then, and others cut them.
func (l *Live) scattered(width int) bool {
	for _, line := range l.drawn {
		if text.StringWidth(line) >= width {
			return true
		}
	}
	return false
}
