package measure

import (
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockbench/lockbench/internal/quantile"
)

// MaxTrackable bounds what the histogram tells apart; the longest value is kept exactly beside it.
const MaxTrackable = time.Hour

// Latency is how long something took each time; as a rule acquires that were granted.
type Latency struct {
	Histogram *hdrhistogram.Histogram // nanoseconds, three significant digits; nil: no samples
	max       int64
	// Samples is how many there are: acquires that were granted. NotGranted is how many ended otherwise or never;
	// those are in no percentile.
	Samples, NotGranted int64
	// During is how long the phases lasted.
	During time.Duration
	// OpenLoop is true if acquires are timed from when they should have been invoked, not from when they were.
	OpenLoop bool
	// Reason says why there are no samples.
	Reason string
}

// Record adds a sample, in nanoseconds.
func (l *Latency) Record(ns int64) error { return l.recordMany(ns, 1) }

func (l *Latency) recordMany(ns, n int64) error {
	ns = max(0, ns)
	if l.Histogram == nil {
		l.Histogram = hdrhistogram.New(1, int64(MaxTrackable), 3)
	}
	l.Samples += n
	l.max = max(l.max, ns)
	return l.Histogram.RecordValues(min(ns, int64(MaxTrackable)), n)
}

// Merge adds what another test of the same driver measured.
func (l *Latency) Merge(o Latency) {
	if o.Histogram != nil {
		if l.Histogram == nil {
			l.Histogram = hdrhistogram.New(1, int64(MaxTrackable), 3)
		}
		l.Histogram.Merge(o.Histogram)
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

// Quantile returns the q-th quantile by nearest rank, 0 < q < 1, within 0.1 %. It takes 1/(1−q) samples for one to
// lie above it.
func (l Latency) Quantile(q float64) Span {
	need := int64(math.Round(1 / (1 - q)))
	switch {
	case l.Samples == 0:
		return NoSpan(l.Reason)
	case l.Samples < need:
		return NoSpan(fmt.Sprintf("p%g needs %d samples, there are %d", q*100, need, l.Samples))
	}
	// The histogram answers with the upper end of a bucket, which may lie above every sample.
	return SpanOf(min(quantile.Of(l.Histogram, q), l.max))
}

// Max returns the longest acquire, exactly.
func (l Latency) Max() Span {
	if l.Samples == 0 {
		return NoSpan(l.Reason)
	}
	return SpanOf(l.max)
}

// Throughput returns the grants per second; !ok: nothing was measured.
func (l Latency) Throughput() (perSecond float64, ok bool) {
	if l.Samples == 0 || l.During <= 0 {
		return 0, false
	}
	return float64(l.Samples) / l.During.Seconds(), true
}

// NoLatencyPhase is why a test without such a phase has no latency.
const NoLatencyPhase = "no phase of this test measures latency"
