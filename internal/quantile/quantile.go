// Package quantile finds quantiles by nearest rank: the smallest value that no less than a given part of all values
// lies at or below. HdrHistogram defines them so; hdrhistogram-go rounds the rank half up instead, which makes a p99
// of a few hundred values that of the value below in every other case.
package quantile

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Rank is the place, from 1, of the q-th quantile (0 to 1) among n sorted values; 0 if there are none.
func Rank(q float64, n int64) int64 {
	if n <= 0 {
		return 0
	}
	exact := q * float64(n)
	// 0.99 × 100 is 99.00000000000001 where floats are binary, and its rank is 99 all the same.
	return min(max(1, int64(math.Ceil(exact*(1-1e-12)))), n)
}

// Of is the q-th quantile of what the histogram recorded, within its precision; 0 if that is nothing.
func Of(h *hdrhistogram.Histogram, q float64) int64 {
	n := h.TotalCount()
	if n == 0 {
		return 0
	}
	return h.ValueAtQuantile(100 * float64(Rank(q, n)) / float64(n)) // of which the rank is that, however it is rounded
}
