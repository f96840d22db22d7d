package measure

import (
	"slices"
	"time"
)

// Timeline is how a test went over time, in windows of equal length. The zero value is nothing measured.
type Timeline struct {
	// Begin is when the first window begins, in the history's nanoseconds, and Window how long each is.
	Begin  int64
	Window time.Duration
	// Cut is left out.
	Cut Cut
	// Grants is how many acquires were granted in each window, and P99 what 99 % of them did not exceed; of fewer
	// than 100 grants that is the slowest. Without a grant it is not measured.
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

// timelineWatch fills a timeline while the lines go by. Windows are over in their order, so that only one has samples
// at a time.
type timelineWatch struct {
	Timeline
	waits   sample
	granted int // the window of the waits
	held    int // the newest window of which holders are known
}

// newTimelineWatch cuts a history's time into windows. Without a length there are none.
func newTimelineWatch(begin, end int64, left Cut) timelineWatch {
	length := time.Duration(end - begin - left.Long())
	if length <= 0 {
		return timelineWatch{}
	}
	n := int(min(maxWindows, max(1, length/minWindow)))
	return timelineWatch{Timeline: Timeline{
		Begin: begin, Cut: left, Window: (length + time.Duration(n) - 1) / time.Duration(n), Grants: make([]int, n), P99: make([]Span, n),
		Holders: make([]int, n),
	}}
}

// grant takes an acquire that is granted now.
func (t *timelineWatch) grant(a *attempt) {
	w, ok := t.window(a.end)
	if !ok {
		return
	}
	t.granting(w)
	t.waits.add(a.end - a.from())
}

// granting completes the windows before w.
func (t *timelineWatch) granting(w int) {
	for ; t.granted < w; t.granted++ {
		t.Grants[t.granted] = int(t.waits.n)
		t.P99[t.granted] = t.waits.quantile(.99, "nothing was granted")
		t.waits.reset()
	}
}

// hold takes the locks whose holders changed now.
func (t *timelineWatch) hold(now int64, all map[string]*lockWatch, changed []*lockWatch) {
	if len(t.Holders) == 0 || len(changed) == 0 {
		return
	}
	w := int((t.Cut.Squeeze(now) - t.Begin) / int64(t.Window))
	t.holding(min(w, len(t.Holders)-1), all)
	for _, l := range changed {
		if w < len(t.Holders) {
			t.Holders[w] = max(t.Holders[w], l.holders)
		}
	}
}

// holding begins the windows up to w.
func (t *timelineWatch) holding(w int, all map[string]*lockWatch) {
	if t.held >= w {
		return
	}
	most := 0
	for _, l := range all {
		most = max(most, l.before)
	}
	for t.held < w {
		t.held++
		t.Holders[t.held] = most
	}
}

func (t *timelineWatch) finish(phases []Phase, all map[string]*lockWatch, wellFormed bool) Timeline {
	t.granting(len(t.Grants))
	t.holding(len(t.Holders)-1, all)
	if t.findIdle(phases); !wellFormed {
		t.Holders = nil
	}
	return t.Timeline
}

// findIdle finds the windows that are in no phase; without phases, none.
func (t *Timeline) findIdle(phases []Phase) {
	if len(t.Grants) == 0 {
		return
	}
	t.Idle = make([]bool, len(t.Grants))
	for w := range t.Idle {
		from := t.Begin + int64(w)*int64(t.Window)
		in := func(p Phase) bool {
			return t.Cut.Squeeze(p.Begin) <= from+int64(t.Window) && t.Cut.Squeeze(p.End) >= from
		}
		t.Idle[w] = len(phases) > 0 && !slices.ContainsFunc(phases, in)
	}
}

// window finds the window of a time; !ok: it is in none.
func (t *Timeline) window(at int64) (w int, ok bool) {
	if len(t.Grants) == 0 {
		return 0, false
	}
	at = t.Cut.Squeeze(at)
	w = int((at - t.Begin) / int64(t.Window))
	if at == t.Begin+int64(len(t.Grants))*int64(t.Window) {
		w-- // the end belongs to the last window
	}
	return w, at >= t.Begin && w < len(t.Grants)
}
