package progress

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// wanted is what a window shows after it was resized: the frame, and above it what was told last.
func wanted(l *Live) []string {
	var lines []string
	for _, m := range l.canvas.messages {
		lines = append(lines, fold(m, free(l.width))...)
	}
	lines = append(lines, l.canvas.frame...)
	return lines[max(0, len(lines)-l.height+1):]
}

// typeUser puts lines on the terminal that are not ours.
func typeUser(g *grid, n int) {
	for i := range n {
		fmt.Fprintf(g, "user %d\r\n", i)
	}
}

// users counts the lines of typeUser that are still somewhere.
func users(g *grid) (n int) {
	for _, s := range g.text(g.rows) {
		if strings.HasPrefix(s, "user ") {
			n++
		}
	}
	return n
}

// TestOneFrameWhateverTheWindow: after any resizing, the screen is the end of what was told and one frame.
func TestOneFrameWhateverTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(8, 130), rapid.IntRange(1, 40)
		g, c := newGrid(width.Draw(t, "width"), height.Draw(t, "height")), &clock{}
		typeUser(g, rapid.IntRange(0, 60).Draw(t, "lines before"))
		l := NewLive(g, g.size, c.now)
		for _, e := range slices.Concat(start(), middle(), end()[:6]) {
			for range rapid.IntRange(0, 2).Draw(t, "resizes") {
				g.resize(width.Draw(t, "width"), height.Draw(t, "height"))
			}
			c.show(t, l, []Event{e})
			got, want := g.screen(), wanted(l)
			if len(got) < len(l.canvas.frame) || !slices.Equal(got[len(got)-len(l.canvas.frame):], l.canvas.frame) {
				t.Fatalf("%d × %d: the screen has\n%s\nwant at its end\n%s", g.width, g.height, strings.Join(got, "\n"), strings.Join(l.canvas.frame, "\n"))
			}
			if l.resized.Equal(c.at.Add(-settle)) && !tail(got, want) {
				t.Fatalf("%d × %d: the screen has\n%s\nwant the end of\n%s", g.width, g.height, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if n := strings.Count(strings.Join(got, "\n"), "elapsed"); n > 1 {
				t.Fatalf("%d × %d: %d frames:\n%s", g.width, g.height, n, strings.Join(got, "\n"))
			}
		}
		if err := l.Close(); err != nil || strings.Contains(strings.Join(g.screen(), "\n"), "elapsed") {
			t.Fatalf("%v: the frame is still there:\n%s", err, strings.Join(g.screen(), "\n"))
		}
	})
}

// tail reports whether all ends with got.
func tail(got, all []string) bool {
	return len(got) <= len(all) && slices.Equal(got, all[len(all)-len(got):])
}

// TestScrollbackAfterResizing: a window that is made narrow and low and then as it was has lost nothing, and has nothing twice.
func TestScrollbackAfterResizing(t *testing.T) {
	for name, sizes := range map[string][][2]int{
		"narrow and low": {{50, 10}, {120, 30}},
		"narrow":         {{50, 30}, {120, 30}},
		"low":            {{120, 8}, {120, 30}},
		"tiny":           {{20, 5}, {120, 30}},
		"one by one":     {{80, 30}, {80, 12}, {60, 12}, {80, 12}, {120, 30}},
	} {
		t.Run(name, func(t *testing.T) {
			g, c := newGrid(120, 30), &clock{}
			const before = 50
			typeUser(g, before)
			l := NewLive(g, g.size, c.now)
			c.show(t, l, start())
			c.show(t, l, middle())
			for range 4 {
				for _, s := range sizes {
					g.resize(s[0], s[1])
					c.show(t, l, nil)
				}
			}
			all := strings.Join(g.text(g.rows), "\n")
			for _, once := range []string{"elapsed", "lockbench: scenario", "so far"} {
				if n := strings.Count(all, once); n != 1 {
					t.Errorf("%q is there %d times", once, n)
				}
			}
			if n := users(g); n != before {
				t.Errorf("%d of %d lines that were there before are left", n, before)
			}
			if t.Failed() {
				t.Log(all)
			}
		})
	}
}

// TestNothingIsDrawnWhileAWindowIsDragged: what a terminal moves by itself it also moves back.
func TestNothingIsDrawnWhileAWindowIsDragged(t *testing.T) {
	g, c := newGrid(120, 30), &clock{}
	l := NewLive(g, g.size, c.now)
	c.show(t, l, slices.Concat(start(), middle()))
	before := g.text(g.rows)
	for _, width := range []int{100, 60, 20, 60, 119, 120} {
		g.resize(width, 30)
		c.at = c.at.Add(settle / 2)
		if err := l.Show(nil); err != nil {
			t.Fatal(err)
		}
	}
	if after := g.text(g.rows); !slices.Equal(before, after) {
		t.Errorf("it was\n%s\nand is\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}
