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

	"github.com/lockbench/lockbench/internal/testkit/golden"
	"github.com/lockbench/lockbench/internal/testkit/must"
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

func (s *screen) width() int {
	width, _ := s.vt.Size()
	return width
}

// lines are those above the cursor, and the one at it, which is the status line.
func (s *screen) lines() (above []string, status string) {
	var lines []string
	for _, l := range strings.Split(s.vt.String(), "\n") {
		lines = append(lines, strings.TrimRight(l, " \x00"))
	}
	y := s.vt.Cursor().Y
	return lines[:y], lines[y]
}

func (s *screen) resize(width, height int) {
	if !s.rewrap {
		s.vt.Resize(width, height)
		return
	}
	above, status := s.lines()
	s.vt = vt10x.New(vt10x.WithSize(width, height))
	for _, l := range above {
		s.vt.Write([]byte(l + "\r\n"))
	}
	s.vt.Write([]byte(status + "\r"))
	for n := len([]rune(status)); n > width; n -= width {
		s.vt.Write([]byte("\x1b[A"))
	}
}

// clock is a time that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// show gives the display the events at the time of the last one.
func (c *clock) show(t must.T, l *Live, events []Event) {
	if len(events) > 0 {
		c.at = events[len(events)-1].Time
	}
	must.Succeed(t, l.Show(events))
}

// TestLiveOnScreens: the status line on screens of several widths as a run goes on, and what stands there when it is
// over.
func TestLiveOnScreens(t *testing.T) {
	var got strings.Builder
	for _, width := range []int{150, 80, 20} {
		s, c := newScreen(width, 60, false), &clock{}
		l := NewLive(s, s.width, c.now)
		fmt.Fprintf(&got, "--- %d columns\n", width)
		snapshot := func(when string) {
			_, status := s.lines()
			fmt.Fprintf(&got, "%-13s|%s|\n", when, status)
		}
		c.show(t, l, nil)
		c.show(t, l, start())
		snapshot("begin")
		c.show(t, l, middle()[:5])
		snapshot("healthy")
		c.show(t, l, middle()[5:15])
		snapshot("under faults")
		c.show(t, l, middle()[15:])
		snapshot("an incident")
		last := end()
		c.show(t, l, last[:6])
		snapshot("tests over")
		c.show(t, l, last[6:7])
		snapshot("judging")
		c.show(t, l, last[7:])
		must.Succeed(t, l.Close())
		snapshot("over")
		above, _ := s.lines()
		got.WriteString(strings.Join(above, "\n") + "\n")
		if c := s.vt.Cursor(); c.X != 0 || !s.vt.CursorVisible() || s.vt.Mode()&vt10x.ModeWrap == 0 {
			t.Errorf("%d columns: the cursor is at column %d, visible: %v; modes %b", width, c.X, s.vt.CursorVisible(), s.vt.Mode())
		}
	}
	golden.Compare(t, "testdata/screens.txt", []byte(got.String()))
}

// TestLiveSurvivesResizing: whatever becomes of the window, the status line stands at the cursor, and above it
// messages only.
func TestLiveSurvivesResizing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// In a window too low for what a resize makes of the old line, a part of it scrolls away.
		width, height := rapid.IntRange(16, 110), rapid.IntRange(9, 40)
		s, c := newScreen(width.Draw(t, "width"), height.Draw(t, "height"), rapid.Bool().Draw(t, "rewrap")), &clock{}
		l, told := NewLive(s, s.width, c.now), typed
		for _, e := range slices.Concat(start(), middle(), end()) {
			if rapid.Bool().Draw(t, "resize") {
				s.resize(width.Draw(t, "width"), height.Draw(t, "height"))
			}
			c.show(t, l, []Event{e})
			above, status := s.lines()
			if want := l.state.line(c.at, s.width()-1); status != want {
				t.Fatalf("the status line is\n%s\nwant\n%s", status, want)
			}
			told += l.message(e)
			for _, line := range above {
				if !strings.Contains(told, strings.TrimSpace(line)) {
					t.Fatalf("what is left behind is no part of a message: %q in\n%s", line, s.vt.String())
				}
			}
		}
		if err := l.Close(); err != nil || strings.Contains(s.vt.String(), "elapsed") {
			t.Fatalf("%v: the status line is still there:\n%s", err, s.vt.String())
		}
	})
}

// TestLiveKeepsWhatWasThere: nothing above the status line is touched.
func TestLiveKeepsWhatWasThere(t *testing.T) {
	s, c := newScreen(200, 60, false), &clock{}
	l := NewLive(s, s.width, c.now)
	var before []string
	for _, e := range slices.Concat(start(), middle(), end()) {
		c.show(t, l, []Event{e})
		above, _ := s.lines()
		if above[0] != typed || len(above) < len(before) || !slices.Equal(above[:len(before)], before) {
			t.Fatalf("after %s:\n%s", e.Kind, strings.Join(above, "\n"))
		}
		before = above
	}
}

// TestStatusLineTakesTurns: each driver that is at work is shown in turn, with the faults that are in force on it.
func TestStatusLineTakesTurns(t *testing.T) {
	s := newState()
	for _, e := range slices.Concat(start(), middle()) {
		s.apply(e)
	}
	seen := map[string]bool{}
	for at := begin; at.Before(begin.Add(4 * turn)); at = at.Add(time.Second) {
		_, driver, _ := strings.Cut(s.line(at, 300), "incident  ")
		name, _, _ := strings.Cut(driver, ":")
		seen[name] = true
		if !strings.Contains(driver, "partition holder: c") || strings.Contains(driver, "zookeeper") {
			t.Errorf("%v after the begin: %s", at.Sub(begin), driver)
		}
	}
	if len(seen) != 2 {
		t.Errorf("it shows %v", seen)
	}
}

func TestLiveTellsThatItCannotWrite(t *testing.T) {
	l := NewLive(broken{}, func() int { return 80 }, time.Now)
	if err := l.Show(start()); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// TestTimeLeft: phases that run alone add up, the others are told by the slowest driver, and what was measured counts
// more than what was expected.
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
	two.Name = "etcd.fenced.heeding"
	again.apply(at(0, Event{Kind: RunStarted, Run: &Run{Drivers: []string{"etcd"}, Tests: []Test{planned("etcd"), two}}}))
	again.apply(at(0, of("etcd", "healed", Event{Kind: PhaseEnded, Took: 9 * time.Second})))
	if got, want := again.left(begin), (4+3)*time.Second+(4+3+9)*time.Second; got != want {
		t.Errorf("a phase that took 9 s once: %v left, want %v", got, want)
	}
}
