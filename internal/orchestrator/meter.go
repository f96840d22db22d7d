package orchestrator

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/quantile"
	"github.com/lockbench/lockbench/internal/recorder"
)

// meter counts the acquires of a phase while it goes on, by the streams of the clients. It reads what is new only, and of that
// only the lines about acquires: latencies are measured meanwhile. Safe for concurrent use.
type meter struct {
	dir string

	mu     sync.Mutex
	tails  map[string]*tailed
	broken bool   // an error was returned: there is nothing more to read
	phase  string // empty: none is under way
	counts progress.Counts
	took   *hdrhistogram.Histogram // ns from an acquire's begin to its grant
	before int                     // the grants at the last read
	at     time.Time               // of the last read
}

// tailed is a worker's stream.
type tailed struct {
	*recorder.Tail
	asked  int64 // when the acquire under way began, or should have
	counts bool  // it was invoked in this phase
}

const (
	// longestAcquire bounds what the histogram tells apart.
	longestAcquire = int64(time.Hour)
	// enoughForP99 is how many grants it takes for a 99th percentile to mean anything.
	enoughForP99 = 100
)

func newMeter(dir string) *meter {
	return &meter{dir: dir, tails: map[string]*tailed{}, took: hdrhistogram.New(1, longestAcquire, 3)}
}

// begin counts from 0 for the phase. What was invoked before is not of it, though it may be granted later.
func (m *meter) begin(phase string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.advance()
	m.phase, m.counts, m.before, m.at = phase, progress.Counts{}, 0, time.Now()
	m.took.Reset()
	for _, t := range m.tails {
		t.counts = false
	}
	return err
}

// end says that the phase is over.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phase = ""
}

// read counts what was recorded since the phase began. nil: none is under way, or the last read or the begin is not yet so long
// ago, which would make a rate of next to nothing; or an error was returned before.
func (m *meter) read(longAgo time.Duration) (phase string, _ *progress.Counts, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken || m.phase == "" || time.Since(m.at) < longAgo {
		return "", nil, nil
	}
	if err := m.advance(); err != nil {
		return "", nil, err
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

func (m *meter) advance() error {
	if m.broken {
		return nil
	}
	paths, err := recorder.Streams(m.dir, "c")
	if err != nil {
		m.broken = true
		return err
	}
	for _, path := range paths {
		t, ok := m.tails[path]
		if !ok {
			t = &tailed{Tail: recorder.NewTail(path)}
			m.tails[path] = t
		}
		ops, err := t.NextOf(history.Acquire)
		if err != nil {
			m.broken = true
			return err
		}
		for i := range ops {
			m.count(t, &ops[i])
		}
	}
	return nil
}

func (m *meter) count(t *tailed, op *history.Op) {
	switch op.Type {
	case history.Invoke:
		m.counts.Attempts++
		t.counts = true
		if t.asked = op.Time; op.Intended != 0 {
			t.asked = op.Intended
		}
	case history.OK:
		if !t.counts {
			return
		}
		m.counts.Grants++
		took := op.Time - t.asked
		m.counts.Max = max(m.counts.Max, time.Duration(took))
		_ = m.took.RecordValue(min(max(took, 1), longestAcquire)) // fails only beyond its bounds
	}
}
