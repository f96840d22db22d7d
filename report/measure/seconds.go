package measure

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Second is the latency of the acquires that were granted within one second of a test and that belong to one phase,
// either those that began to wait while its fault was in force, or the others.
type Second struct {
	Phase      int // its place among the measurement's phases
	UnderFault bool
	Begin      int64 // in the history's nanoseconds
	// Encoded is a histogram of nanoseconds, three significant digits, as hdrhistogram-go's Decode takes it.
	Encoded []byte
}

// secondsWatch fills one second after another while the lines go by.
type secondsWatch struct {
	done  []Second
	begin int64 // of the second that is filled
	open  map[secondKey]*hdrhistogram.Histogram
	free  []*hdrhistogram.Histogram // to be used again: each takes hundreds of KB
}

type secondKey struct {
	phase      int
	underFault bool
}

// grant takes an acquire that is granted now; newest is the place of the newest phase, and begin that of the history.
func (w *secondsWatch) grant(a *attempt, newest int, begin int64) error {
	second := begin + (a.end-begin)/int64(time.Second)*int64(time.Second)
	if second != w.begin {
		if err := w.end(newest); err != nil {
			return err
		}
		w.begin = second
	}
	key := secondKey{a.home.place, a.home.HasFault() && a.home.inForce(a.from())}
	if err := w.of(key).RecordValue(min(max(0, a.end-a.from()), int64(MaxTrackable))); err != nil {
		return fmt.Errorf("record the latency of a second: %w", err)
	}
	return nil
}

// of is the histogram of what is open.
func (w *secondsWatch) of(key secondKey) *hdrhistogram.Histogram {
	if h := w.open[key]; h != nil {
		return h
	}
	var h *hdrhistogram.Histogram
	if last := len(w.free) - 1; last >= 0 {
		h, w.free = w.free[last], w.free[:last]
		h.Reset()
	} else {
		h = hdrhistogram.New(1, int64(MaxTrackable), 3)
	}
	if w.open == nil {
		w.open = map[secondKey]*hdrhistogram.Histogram{}
	}
	w.open[key] = h
	return h
}

// end keeps what the second has; newest is the place of the newest phase.
func (w *secondsWatch) end(newest int) error {
	for phase := range newest + 1 {
		if len(w.open) == 0 {
			return nil
		}
		for _, key := range []secondKey{{phase, false}, {phase, true}} {
			h := w.open[key]
			if h == nil {
				continue
			}
			encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
			if err != nil {
				return fmt.Errorf("encode the latency of a second: %w", err)
			}
			w.done = append(w.done, Second{phase, key.underFault, w.begin, encoded})
			w.free = append(w.free, h)
			delete(w.open, key)
		}
	}
	return nil
}
