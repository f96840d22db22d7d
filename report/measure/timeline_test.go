package measure

import (
	"slices"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/histories"
)

func TestTimeline(t *testing.T) {
	m := measure(t, results.Test{}, 0, histories.Read(t, `
		0 nemesis phase calm
		0,4,8 p1 ask x
		20,25 p1 ask x
		28,36 p2 ask x
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
	w := newTimelineWatch(0, 1000, Cut{})
	for i := range int64(200) {
		w.grant(&attempt{end: i + 1})
	}
	late := attempt{invoke: 900, intended: 100, end: 1000} // open loop, at the very end
	w.grant(&late)
	got := w.finish(nil, nil, false)
	if len(got.Grants) != 1 || got.Grants[0] != 201 || got.Holders != nil {
		t.Fatalf("%+v", got)
	}
	wantSpan(t, "p99", got.P99[0], 199)
	w = newTimelineWatch(0, 1000, Cut{})
	w.grant(&late)
	if one := w.finish(nil, nil, false); one.P99[0].D != 900 {
		t.Errorf("timed from its call, not from when it was due: %v", one.P99[0])
	}
}

func TestTimelineOfNothing(t *testing.T) {
	if got := newTimelineWatch(5, 5, Cut{}); len(got.Grants) > 0 {
		t.Errorf("%+v", got)
	}
}

// A long time in which other locks are measured is left out, and nothing else.
func TestTimelineCut(t *testing.T) {
	m := measure(t, results.Test{}, 0, histories.Read(t, histories.Idle))
	got := m.Timeline
	if got.Cut != (Cut{118 * milli, 900 * milli}) {
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
		if x := got.Cut.Squeeze(at * milli); x != want*milli {
			t.Errorf("%d ms lies at %d, want %d", at, x/milli, want)
		}
	}
}
