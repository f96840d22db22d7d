package run

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/quantile"
)

// meter counts the acquires of a phase while it goes on, and subscribes to nothing else. Safe for concurrent use.
type meter struct {
	feed *recorder.Feed

	mu      sync.Mutex
	workers map[string]*metered // by their streams
	broken  bool                // an error was returned: there is nothing more to read
	phase   string              // empty: none is under way
	counts  progress.Counts
	took    *hdrhistogram.Histogram // ns from an acquire's begin to its grant
	before  int                     // the grants at the last read
	at      time.Time               // of the last read
}

// metered is a worker.
type metered struct {
	asked  int64 // when the acquire under way began, or should have
	counts bool  // it was invoked in this phase
}

const (
	// longestAcquire bounds what the histogram tells apart.
	longestAcquire = int64(time.Hour)
	// enoughForP99 is how many grants it takes for a 99th percentile to mean anything.
	enoughForP99 = 100
)

func newMeter(feed *recorder.Feed) *meter {
	m := &meter{feed: feed, workers: map[string]*metered{}, took: hdrhistogram.New(1, longestAcquire, 3)}
	feed.Subscribe(recorder.Subscription{F: []string{history.Acquire}, Workers: true, Take: m.take})
	return m
}

// begin counts from 0 for the phase. What was invoked before is not of it, though it may be granted later.
func (m *meter) begin(phase string) error {
	err := m.look()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phase, m.counts, m.before, m.at = phase, progress.Counts{}, 0, time.Now()
	m.took.Reset()
	for _, w := range m.workers {
		w.counts = false
	}
	return err
}

// end says that the phase is over.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phase = ""
}

// read counts what was recorded since the phase began. nil: none is under way, or the last read or the begin is not
// yet so long ago, which would make a rate of next to nothing; or an error was returned before.
func (m *meter) read(longAgo time.Duration) (phase string, _ *progress.Counts, err error) {
	if !m.wants(longAgo) {
		return "", nil, nil
	}
	if err := m.look(); err != nil {
		return "", nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken || m.phase == "" || time.Since(m.at) < longAgo { // the phase ended meanwhile
		return "", nil, nil
	}
	now := time.Now()
	c := m.counts
	if passed := now.Sub(m.at); passed > 0 {
		c.Rate = float64(c.Grants-m.before) / passed.Seconds()
	}
	m.before, m.at = c.Grants, now
	if c.Grants >= enoughForP99 {
		// The histogram answers with the upper end of a bucket, which may lie above every sample.
		c.P99 = min(time.Duration(quantile.Of(m.took, .99)), c.Max)
	}
	return m.phase, &c, nil
}

// wants reports whether a read now says anything.
func (m *meter) wants(longAgo time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.broken && m.phase != "" && time.Since(m.at) >= longAgo
}

// look takes in what is new. It returns an error once.
func (m *meter) look() error {
	err := m.feed.Look()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken {
		return nil
	}
	m.broken = err != nil
	return err
}

func (m *meter) take(stream string, ops []history.Op) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.workers[stream]
	if w == nil {
		w = &metered{}
		m.workers[stream] = w
	}
	for i := range ops {
		m.count(w, &ops[i])
	}
}

func (m *meter) count(w *metered, op *history.Op) {
	switch op.Type {
	case history.Invoke:
		m.counts.Attempts++
		w.counts = true
		if w.asked = op.Time; op.Intended != 0 {
			w.asked = op.Intended
		}
	case history.OK:
		if !w.counts {
			return
		}
		m.counts.Grants++
		took := op.Time - w.asked
		m.counts.Max = max(m.counts.Max, time.Duration(took))
		_ = m.took.RecordValue(min(max(took, 1), longestAcquire)) // fails only beyond its bounds
	}
}
