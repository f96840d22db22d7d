package bench

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lockbench/lockbench/report/measure"
)

// ticksPerHalfDistance is how many percentiles HdrHistogram's own tools write before the distance to 100 % has halved.
const ticksPerHalfDistance = 5

// Histogram writes a latency that has samples in the percentile format of HdrHistogram (.hgrm), which its plotter
// reads, in milliseconds. hdrhistogram-go's own writer leaves three decimals, which of a lock that is granted in 40
// µs are two digits.
func Histogram(w io.Writer, l measure.Latency) error {
	ms := func(ns float64) float64 { return ns / float64(time.Millisecond) }
	var b strings.Builder
	fmt.Fprintf(&b, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")
	for _, at := range l.Histogram.CumulativeDistributionWithTicks(ticksPerHalfDistance) {
		// The histogram answers with the upper end of a bucket, which may lie above every sample.
		fmt.Fprintf(&b, "%12.6f %14.12f %10d", ms(float64(min(at.ValueAt, int64(l.Max().D)))), at.Quantile/100, at.Count)
		if at.Quantile < 100 { // beyond which there is no number
			fmt.Fprintf(&b, " %14.2f", 1/(1-at.Quantile/100))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "#[Mean    = %12.6f, StdDeviation   = %12.6f]\n", ms(l.Histogram.Mean()), ms(l.Histogram.StdDev()))
	fmt.Fprintf(&b, "#[Max     = %12.6f, Total count    = %12d]\n", ms(float64(l.Max().D)), l.Samples)
	buckets, subBuckets := histogramLayout()
	fmt.Fprintf(&b, "#[Buckets = %12d, SubBuckets     = %12d]\n", buckets, subBuckets)
	_, err := io.WriteString(w, b.String())
	return err
}

// histogramLayout says how a histogram is laid out: each bucket has as many sub-buckets as its digits take, and
// covers twice what the one before covers.
func histogramLayout() (buckets, subBuckets int64) {
	subBuckets = 1
	for subBuckets < 2*1000 { // three digits
		subBuckets *= 2
	}
	buckets = 1
	for covered := subBuckets; covered <= int64(measure.MaxTrackable); covered *= 2 {
		buckets++
	}
	return buckets, subBuckets
}
