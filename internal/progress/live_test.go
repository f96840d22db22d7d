package progress

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hinshun/vt10x"
	"pgregory.net/rapid"
)

// screen is a terminal on which somebody has typed a command.
type screen struct {
	vt     vt10x.Terminal
	rewrap bool // it breaks lines that no longer fit, as most do; else it cuts them, as xterm does
}

const typed = "$ lockbench run"

func newScreen(width, height int, rewrap bool) *screen {
	s := &screen{vt10x.New(vt10x.WithSize(width, height)), rewrap}
	s.vt.Write([]byte(typed + "\r\n"))
	return s
}

func (s *screen) Write(b []byte) (int, error) { return s.vt.Write(b) }

func (s *screen) size() (width, height int) { return s.vt.Size() }

// lines are those above the cursor, which is where the program left it.
func (s *screen) lines() []string {
	var lines []string
	for _, l := range strings.Split(s.vt.String(), "\n") {
		lines = append(lines, strings.TrimRight(l, " \x00"))
	}
	return lines[:s.vt.Cursor().Y]
}

func (s *screen) resize(width, height int) {
	if !s.rewrap {
		s.vt.Resize(width, height)
		return
	}
	lines := s.lines()
	s.vt = vt10x.New(vt10x.WithSize(width, height))
	for _, l := range lines {
		s.vt.Write([]byte(l + "\r\n"))
	}
}

// clock is a time that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// show gives the display the events at the time of the last one, and then time to see that a window stays as it is.
func (c *clock) show(t interface{ Fatal(...any) }, l *Live, events []Event) {
	if len(events) > 0 {
		c.at = events[len(events)-1].Time
	}
	err := l.Show(events)
	if l.resized.Equal(c.at) {
		c.at = c.at.Add(settle)
		err = errors.Join(err, l.Show(nil))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestLiveOnScreens: what stands on screens of several widths, the last of them too low, at the begin of a run, with faults
// in force, while it is judged, and when it is over.
func TestLiveOnScreens(t *testing.T) {
	var got strings.Builder
	for _, size := range [][2]int{{132, 24}, {80, 24}, {40, 40}, {20, 60}, {80, 6}} {
		s, c := newScreen(size[0], size[1], false), &clock{}
		l := NewLive(s, s.size, c.now)
		snapshot := func(when string) {
			fmt.Fprintf(&got, "--- %d × %d, %s\n%s\n", size[0], size[1], when, strings.Join(s.lines(), "\n"))
		}
		c.show(t, l, nil)
		c.show(t, l, start())
		snapshot("begin")
		c.show(t, l, middle()[:9])
		c.show(t, l, middle()[9:])
		snapshot("under faults")
		last := end()
		c.show(t, l, last[:6])
		snapshot("tests over")
		c.show(t, l, last[6:7])
		snapshot("judging")
		c.show(t, l, last[7:])
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		snapshot("over")
		if c := s.vt.Cursor(); c.X != 0 || !s.vt.CursorVisible() {
			t.Errorf("%v: the cursor is at column %d, visible: %v", size, c.X, s.vt.CursorVisible())
		}
	}
	golden(t, "screens.txt", got.String())
}

// TestLiveSurvivesResizing: whatever becomes of the window, right above the cursor stands the frame, and nothing of any
// frame before stands elsewhere.
func TestLiveSurvivesResizing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(16, 110), rapid.IntRange(2, 24)
		s, c := newScreen(width.Draw(t, "width"), height.Draw(t, "height"), rapid.Bool().Draw(t, "rewrap")), &clock{}
		l := NewLive(s, s.size, c.now)
		for _, e := range slices.Concat(start(), middle(), end()) {
			if rapid.Bool().Draw(t, "resize") {
				s.resize(width.Draw(t, "width"), height.Draw(t, "height"))
			}
			c.show(t, l, []Event{e})
			lines, frame := s.lines(), l.canvas.frame
			if len(lines) < len(frame) || !slices.Equal(lines[len(lines)-len(frame):], frame) {
				t.Fatalf("the screen has\n%s\nwant at its end\n%s", strings.Join(lines, "\n"), strings.Join(frame, "\n"))
			}
			for _, line := range lines[:len(lines)-len(frame)] {
				if strings.Contains(line, "elapsed") || strings.Contains(line, "granted of") {
					t.Fatalf("a frame was left behind:\n%s", strings.Join(lines, "\n"))
				}
			}
		}
		if err := l.Close(); err != nil || strings.Contains(s.vt.String(), "elapsed") {
			t.Fatalf("%v: the frame is still there:\n%s", err, strings.Join(s.lines(), "\n"))
		}
	})
}

// TestLiveKeepsWhatWasThere: without resizing, nothing above the display is touched.
func TestLiveKeepsWhatWasThere(t *testing.T) {
	s, c := newScreen(80, 60, false), &clock{}
	l := NewLive(s, s.size, c.now)
	for _, e := range slices.Concat(start(), middle(), end()) {
		c.show(t, l, []Event{e})
		if s.lines()[0] != typed {
			t.Fatalf("after %s:\n%s", e.Kind, strings.Join(s.lines(), "\n"))
		}
	}
}

func TestLiveTellsThatItCannotWrite(t *testing.T) {
	l := NewLive(broken{}, func() (int, int) { return 80, 24 }, time.Now)
	if err := l.Show(start()); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// TestTimeLeft: phases that run alone add up, the others are told by the slowest driver, and what was measured counts more
// than what was expected.
func TestTimeLeft(t *testing.T) {
	s, seen := newState(), 0
	for _, tt := range []struct {
		until  float64 // seconds
		events int
		want   time.Duration
	}{
		{0, 4, (3*4 + 4) * time.Second},   // three drivers of which each needs 4 s alone
		{0.1, 5, (2*4 + 4) * time.Second}, // zookeeper is out
		{3, 10, (1 + 2 + 4 + 4) * time.Second},
		{9, 13, (1 + 4) * time.Second},
		{12, 21, 2 * time.Second},
		{14, 24, 1 * time.Second}, // etcd's 3 s are over, though it is still at it
		{15, 29, 0},
	} {
		for _, e := range slices.Concat(start(), middle(), end())[seen:tt.events] {
			s.apply(e)
		}
		seen = tt.events
		if got := s.left(begin.Add(time.Duration(tt.until * float64(time.Second)))).Round(time.Second); got != tt.want {
			t.Errorf("%g s after the begin: %v left, want %v", tt.until, got, tt.want)
		}
	}
	again := newState()
	two := planned("etcd")
	two.Name = "etcd.fencing-on.heed-on"
	again.apply(at(0, Event{Kind: RunStarted, Run: &Run{Drivers: []string{"etcd"}, Tests: []Test{planned("etcd"), two}}}))
	again.apply(at(0, of("etcd", "healed", Event{Kind: PhaseEnded, Took: 9 * time.Second})))
	if got, want := again.left(begin), (4+3)*time.Second+(4+3+9)*time.Second; got != want {
		t.Errorf("a phase that took 9 s once: %v left, want %v", got, want)
	}
}
