package progress

import (
	"fmt"
	"io"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

// Live draws a display again and again at the bottom of a terminal, below what is worth keeping. It leaves nothing behind that
// would have to be undone (the cursor stays visible, and a frame is one write that ends with a line): the program may end
// or be killed at any moment.
type Live struct {
	size func() (width, height int)
	now  func() time.Time

	state         *state
	canvas        canvas
	width, height int       // of the window when it was looked at
	resized       time.Time // when it was seen to have another size; zero: never
}

// settle is how long a window must have had its size before it is drawn on. While it is dragged a terminal moves its lines by
// itself, and back again, and some tell the new size only a quarter of a second later.
const settle = 300 * time.Millisecond

// NewLive returns a Live that draws on w. Size is asked before each frame, because windows change.
func NewLive(w io.Writer, size func() (width, height int), now func() time.Time) *Live {
	return &Live{size: size, now: now, state: newState(), canvas: canvas{w: w}}
}

// Show implements Renderer.
func (l *Live) Show(events []Event) error {
	for _, e := range events {
		if m := l.message(e); m != "" {
			l.canvas.messages = append(l.canvas.messages, m)
		}
		l.state.apply(e)
	}
	now := l.now()
	if !l.steady(now) {
		return nil // it is drawn the next time, or the time after that
	}
	return l.canvas.draw(l.frame(now), l.width, l.height)
}

// steady looks at the window, and reports whether it is the time to draw on it.
func (l *Live) steady(now time.Time) bool {
	width, height := l.size()
	if l.width != 0 && (width != l.width || height != l.height) {
		l.resized = now
	}
	l.width, l.height = width, height
	return l.resized.IsZero() || now.Sub(l.resized) >= settle
}

func (l *Live) frame(now time.Time) []string {
	if len(l.state.rows) == 0 || l.height < 2 {
		return nil
	}
	room := 0
	if m := l.canvas.messages; len(m) > 0 {
		room = len(fold(m[len(m)-1], free(l.width)))
	}
	return l.state.frame(now, free(l.width), l.height-1, room) // a line is the cursor's
}

// Close implements Renderer: the frame goes, the messages stay.
func (l *Live) Close() error {
	width, height := l.size()
	return l.canvas.draw(nil, width, height)
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
			s += ", " + units.Plural(n, "incident") + " in this test so far"
		}
		if e.Status != results.Complete {
			s += ": " + e.Reason
		}
		return printable(s)
	}
	return ""
}
