package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/quantile"
)

// Timeline is how a test went over time, in windows of equal length. The zero value is nothing measured.
type Timeline struct {
	// Begin is when the first window begins, in the history's nanoseconds, and Window how long each is.
	Begin  int64
	Window time.Duration
	// Cut is left out.
	Cut cut
	// Grants is how many acquires were granted in each window, and P99 what 99 % of them did not exceed; of fewer than 100
	// grants that is the slowest. Without a grant it is not measured.
	Grants []int
	P99    []Span
	// Idle is true of windows between two phases, in which nobody is to ask for a lock.
	Idle []bool
	// Holders is how many holders one lock had at once at the most, in each window; nil: nobody knows.
	Holders []int
}

const (
	maxWindows = 120 // more than that a small plot does not show
	minWindow  = 10 * time.Millisecond
)

// newTimeline cuts the history's time into windows. all are its acquires, nil if it is malformed.
func newTimeline(begin, end int64, phases []PhaseMeasure, attempts []acquire, all []checker.Hold) Timeline {
	left := findCut(begin, end, phases, attempts, all)
	length := time.Duration(end - begin - left.long())
	if length <= 0 {
		return Timeline{}
	}
	n := int(min(maxWindows, max(1, length/minWindow)))
	t := Timeline{Begin: begin, Cut: left, Window: (length + time.Duration(n) - 1) / time.Duration(n), Grants: make([]int, n), P99: make([]Span, n)}
	t.findIdle(phases)
	waits := make([][]int64, n)
	for _, a := range attempts {
		if a.outcome != history.OK {
			continue
		}
		from := a.invoke
		if a.intended != 0 {
			from = a.intended
		}
		if w, ok := t.window(a.end); ok {
			waits[w] = append(waits[w], max(0, a.end-from))
		}
	}
	for w, ns := range waits {
		t.Grants[w] = len(ns)
		t.P99[w] = unmeasured("nothing was granted")
		if len(ns) > 0 {
			slices.Sort(ns)
			t.P99[w] = measured(ns[quantile.Rank(.99, int64(len(ns)))-1])
		}
	}
	if all != nil {
		t.Holders = make([]int, n)
		for _, lock := range byLock(all) {
			t.countHolders(lock)
		}
	}
	return t
}

// findIdle finds the windows that are in no phase; without phases, none.
func (t *Timeline) findIdle(phases []PhaseMeasure) {
	t.Idle = make([]bool, len(t.Grants))
	for w := range t.Idle {
		from := t.Begin + int64(w)*int64(t.Window)
		in := func(p PhaseMeasure) bool {
			return t.Cut.squeeze(p.Begin) <= from+int64(t.Window) && t.Cut.squeeze(p.End) >= from
		}
		t.Idle[w] = len(phases) > 0 && !slices.ContainsFunc(phases, in)
	}
}

// window finds the window of a time; !ok: it is in none.
func (t *Timeline) window(at int64) (w int, ok bool) {
	at = t.Cut.squeeze(at)
	w = int((at - t.Begin) / int64(t.Window))
	if at == t.Begin+int64(len(t.Grants))*int64(t.Window) {
		w-- // the end belongs to the last window
	}
	return w, at >= t.Begin && w < len(t.Grants)
}

// countHolders counts the holders of one lock.
func (t *Timeline) countHolders(lock []checker.Hold) {
	type change struct {
		at int64
		by int
	}
	var changes []change
	for _, h := range lock {
		if h.Held && h.End > h.Answered {
			changes = append(changes, change{t.Cut.squeeze(h.Answered), 1}, change{t.Cut.squeeze(h.End), -1})
		}
	}
	// At equal times an end goes before a begin.
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	holders, next := 0, 0
	for w := range t.Holders {
		most := holders
		for until := t.Begin + int64(w+1)*int64(t.Window); next < len(changes) && changes[next].at < until; next++ {
			holders += changes[next].by
			most = max(most, holders)
		}
		t.Holders[w] = max(t.Holders[w], most)
	}
}
