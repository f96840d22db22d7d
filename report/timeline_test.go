package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

func TestTimeline(t *testing.T) {
	m := measure(t, results.Test{}, 0, ops(t, `
		0 nemesis phase calm
		0 p1 ask x
		4 p1 ok
		8 p1 release
		20 p1 ask x
		25 p1 ok
		28 p2 ask x
		36 p2 ok
		37 p1 release
		37 p1 ask y
		38 p1 fail no
		45 p2 release
		50 nemesis end calm
		74 nemesis phase later
		100 nemesis end later`))
	got := m.Timeline
	if want := []bool{false, false, false, false, false, false, true, false, false, false}; !slices.Equal(got.Idle, want) {
		t.Errorf("idle %v, want %v", got.Idle, want)
	}
	if got.Window != 10*time.Millisecond || !slices.Equal(got.Grants, []int{1, 0, 1, 1, 0, 0, 0, 0, 0, 0}) {
		t.Errorf("windows of %v: %v", got.Window, got.Grants)
	}
	if want := []int{1, 0, 1, 2, 1, 0, 0, 0, 0, 0}; !slices.Equal(got.Holders, want) {
		t.Errorf("holders %v, want %v", got.Holders, want)
	}
	for w, want := range map[int]time.Duration{0: 4 * time.Millisecond, 2: 5 * time.Millisecond, 3: 8 * time.Millisecond} {
		wantSpan(t, "p99", got.P99[w], int64(want))
	}
	wantReason(t, got.P99[1], "nothing was granted")
}

// Of 200 grants in a window the two slowest are above the 99th percentile.
func TestTimelineP99(t *testing.T) {
	var attempts []acquire
	for i := range int64(200) {
		attempts = append(attempts, acquire{invoke: 0, end: i + 1, outcome: history.OK})
	}
	attempts = append(attempts, acquire{invoke: 900, intended: 100, end: 1000, outcome: history.OK}) // open loop, at the very end
	got := newTimeline(0, 1000, nil, attempts, nil)
	if len(got.Grants) != 1 || got.Grants[0] != 201 || got.Holders != nil {
		t.Fatalf("%+v", got)
	}
	wantSpan(t, "p99", got.P99[0], 199)
	if one := newTimeline(0, 1000, nil, attempts[200:], nil); one.P99[0].D != 900 {
		t.Errorf("timed from its call, not from when it was due: %v", one.P99[0])
	}
}

func TestTimelineOfNothing(t *testing.T) {
	if got := newTimeline(5, 5, nil, nil, nil); len(got.Grants) > 0 {
		t.Errorf("%+v", got)
	}
	if p, err := newTimelinePlot("d", &TestRow{}); p != nil || err != nil {
		t.Errorf("%+v %v", p, err)
	}
}

func TestTimelinePlot(t *testing.T) {
	all := ops(t, overlapping)
	m := measure(t, results.Test{}, 0, all)
	p, err := newTimelinePlot("Lock <1>", &TestRow{Measured: m})
	if err != nil {
		t.Fatal(err)
	}
	want := "At most 100 grants per second; p99 of a window at most 100 ms; at most 2 holders of a lock at once. Shaded are the faults A cut."
	if p.Picture.Desc != want {
		t.Errorf("got  %s\nwant %s", p.Picture.Desc, want)
	}
	body := string(p.Picture.Body)
	for _, part := range []string{"var(--fault)", "var(--bad)", "var(--series-0)", ">A<", ">800 ms<", "grants per second", "p99 of an acquire", "most holders of one lock at once"} {
		if part = strings.ReplaceAll(part, ">800 ms<", ">800 ms<"); !strings.Contains(body, part) {
			t.Errorf("the picture has no %q", part)
		}
	}
	if strings.Contains(body, "#FF") || strings.Contains(body, "Liberation") {
		t.Errorf("the picture brings colours or fonts of its own:\n%s", body)
	}
}

func TestThemedKnowsEveryInk(t *testing.T) {
	for i := range inkSeries + seriesInks {
		r, g, b, _ := i.RGBA()
		if r>>8 != 0xff || g != 0 || b>>8 != uint32(0x10*(uint8(i)+1)) {
			t.Errorf("ink %d is %x %x %x", i, r, g, b)
		}
	}
	if _, err := themed("nothing"); err == nil {
		t.Error("what is no SVG is taken for one")
	}
}

// A long time in which other locks are measured is left out, and nothing else.
func TestTimelineCut(t *testing.T) {
	m := measure(t, results.Test{}, 0, ops(t, `
		0 nemesis phase alone
		10 p1 ask x
		15 p1 ok
		100 nemesis end alone
		118 p1 release
		900 nemesis phase cut
		905 p1 ask x
		925 p1 ok
		940 nemesis strike c1
		941 nemesis struck c1
		970 p1 release
		980 nemesis heal c1
		981 nemesis healed c1
		1000 nemesis end cut`))
	got := m.Timeline
	if got.Cut != (cut{118 * milli, 900 * milli}) {
		t.Fatalf("cut %+v", got.Cut)
	}
	grants, holders := make([]int, 21), make([]int, 21) // of 218 ms
	if got.Window < 10*time.Millisecond || len(got.Grants) != len(grants) {
		t.Fatalf("%d windows of %v", len(got.Grants), got.Window)
	}
	grants[1], grants[13] = 1, 1 // at 15 ms, and at 925 − 782 = 143 ms
	for w := range holders {
		if w >= 1 && w <= 11 || w >= 13 && w <= 18 {
			holders[w] = 1
		}
	}
	if !slices.Equal(got.Grants, grants) || !slices.Equal(got.Holders, holders) {
		t.Errorf("grants %v, holders %v", got.Grants, got.Holders)
	}
	for at, want := range map[int64]int64{0: 0, 118: 118, 500: 118, 900: 118, 905: 123, 1000: 218} {
		if x := got.Cut.squeeze(at * milli); x != want*milli {
			t.Errorf("%d ms lies at %d, want %d", at, x/milli, want)
		}
	}
	var labels []string
	for _, tick := range got.ticks(.218, true) {
		labels = append(labels, fmt.Sprintf("%s at %.3f", tick.Label, tick.Value))
	}
	if want := []string{"0 at 0.000", "50.0 ms at 0.050", "100 ms at 0.100", "950 ms at 0.168", "1.00 s at 0.218"}; !slices.Equal(labels, want) {
		t.Errorf("ticks %q", labels)
	}
	p, err := newTimelinePlot("Lock", &TestRow{Measured: m})
	if err != nil {
		t.Fatal(err)
	}
	if p.LeftOut != "782 ms" || !strings.Contains(string(p.Picture.Body), "stroke-dasharray") {
		t.Errorf("left out %q", p.LeftOut)
	}
}

// Whatever the times of a history are, its axis has an end.
func TestTicksOfOddTimes(t *testing.T) {
	const far = 9_000_000_000 * sec
	for _, line := range []Timeline{
		{Window: 10 * time.Millisecond, Grants: make([]int, 120), Cut: cut{sec, 86_400 * sec}},
		{Window: 10 * time.Millisecond, Grants: make([]int, 120), Cut: cut{sec, far}},
		{Begin: far, Window: 10 * time.Millisecond, Grants: make([]int, 120)},
	} {
		if ticks := line.ticks(1.2, true); len(ticks) < 2 || len(ticks) > maxTicks || ticks[0].Value != 0 {
			t.Errorf("%+v: %v", line.Cut, ticks)
		}
	}
	if ticks := (&Timeline{Cut: cut{sec, 86_400 * sec}}).ticks(2, true); ticks[len(ticks)-1].Label != "86400 s" {
		t.Errorf("%v", ticks)
	}
}
