package report

import (
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockbench/lockbench/internal/quantile"
)

// maxTrackable bounds what the histogram tells apart; the longest value is kept exactly beside it.
const maxTrackable = time.Hour

// Latency is how long something took each time; as a rule acquires that were granted.
type Latency struct {
	hist *hdrhistogram.Histogram // nanoseconds, three significant digits; nil: no samples
	max  int64
	// Samples is how many there are: acquires that were granted. NotGranted is how many ended otherwise or never; those are in no percentile.
	Samples, NotGranted int64
	// During is how long the phases lasted.
	During time.Duration
	// OpenLoop is true if acquires are timed from when they should have been invoked, not from when they were.
	OpenLoop bool
	// Reason says why there are no samples.
	Reason string
}

func (l *Latency) record(ns int64) error {
	ns = max(0, ns)
	if l.hist == nil {
		l.hist = hdrhistogram.New(1, int64(maxTrackable), 3)
	}
	l.Samples++
	l.max = max(l.max, ns)
	return l.hist.RecordValue(min(ns, int64(maxTrackable)))
}

// merge adds what another test of the same driver measured.
func (l *Latency) merge(o Latency) {
	if o.hist != nil {
		if l.hist == nil {
			l.hist = hdrhistogram.New(1, int64(maxTrackable), 3)
		}
		l.hist.Merge(o.hist)
	}
	l.max = max(l.max, o.max)
	l.Samples += o.Samples
	l.NotGranted += o.NotGranted
	l.During += o.During
	l.OpenLoop = l.OpenLoop || o.OpenLoop
	if l.Reason == "" {
		l.Reason = o.Reason
	}
}

// Quantile returns the q-th quantile by nearest rank, 0 < q < 1, within 0.1 %. It takes 1/(1−q) samples for one to lie above it.
func (l Latency) Quantile(q float64) Span {
	need := int64(math.Round(1 / (1 - q)))
	switch {
	case l.Samples == 0:
		return unmeasured(l.Reason)
	case l.Samples < need:
		return unmeasured(fmt.Sprintf("p%g needs %d samples, there are %d", q*100, need, l.Samples))
	}
	// The histogram answers with the upper end of a bucket, which may lie above every sample.
	return measured(min(quantile.Of(l.hist, q), l.max))
}

// Max returns the longest acquire, exactly.
func (l Latency) Max() Span {
	if l.Samples == 0 {
		return unmeasured(l.Reason)
	}
	return measured(l.max)
}

// Throughput returns the grants per second; !ok: nothing was measured.
func (l Latency) Throughput() (perSecond float64, ok bool) {
	if l.Samples == 0 || l.During <= 0 {
		return 0, false
	}
	return float64(l.Samples) / l.During.Seconds(), true
}

// noLatencyPhase is why a test without such a phase has no latency.
const noLatencyPhase = "no phase of this test measures latency"
