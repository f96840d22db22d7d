package progress

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

// Control sequences that every terminal knows.
const (
	toBegin    = "\r"
	clearLine  = "\x1b[2K"
	clearBelow = "\x1b[J"
	wrapOff    = "\x1b[?7l"
	wrapOn     = "\x1b[?7h"
)

// Live keeps one status line at the bottom of a terminal, below the messages that stay.
//
// The cursor always waits at the begin of that line, and the line never wraps. So whatever a terminal does when its
// window is resized, the line and all that became of it lies at the cursor and below, and one sequence clears it.
// Each update is one write that leaves the terminal's modes as they were: the program may be killed at any moment.
type Live struct {
	w     io.Writer
	width func() int
	now   func() time.Time
	state *state
	shown int // width of the window at the last update; 0: there was none
}

// NewLive returns a Live that writes to w. It asks for the window's width before each update, because windows change.
func NewLive(w io.Writer, width func() int, now func() time.Time) *Live {
	return &Live{w: w, width: width, now: now, state: newState()}
}

// Show implements Renderer.
func (l *Live) Show(events []Event) error {
	var messages strings.Builder
	for _, e := range events {
		if m := l.message(e); m != "" {
			messages.WriteString(m + "\r\n")
		}
		l.state.apply(e)
	}
	width := l.width()
	clear := clearLine
	if width != l.shown || messages.Len() > 0 {
		clear += clearBelow
	}
	l.shown = width
	status := ""
	if len(l.state.rows) > 0 {
		status = wrapOff + l.state.line(l.now(), max(width-1, 1)) + toBegin + wrapOn
	}
	return l.write(toBegin + clear + messages.String() + status)
}

// Close implements Renderer: the status line goes, the messages stay.
func (l *Live) Close() error { return l.write(toBegin + clearLine + clearBelow) }

func (l *Live) write(s string) error {
	if _, err := io.WriteString(l.w, s); err != nil {
		return fmt.Errorf("show the run's progress: %w", err)
	}
	return nil
}

// message is what stays of an event above the status line; empty: nothing does.
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
	r := l.state.row(e.Driver)
	if r == nil {
		return ""
	}
	s := fmt.Sprintf("%s: %s after %v", e.Test, e.Status, e.Time.Sub(r.testBegan).Round(time.Second))
	if n := r.incidents[e.Test]; n > 0 {
		s += ", " + units.Plural(n, "incident") + " in this test so far"
	}
	if e.Status != results.Complete {
		s += ": " + e.Reason
	}
	return printable(s)
}
