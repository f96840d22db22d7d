package measure

import (
	"maps"
	"math/bits"
	"slices"

	"github.com/lockbench/lockbench/internal/quantile"
)

const (
	// exactSamples is how many samples are kept as they are. Of more than that a quantile is exact to one in 1024.
	exactSamples = 1 << 14
	// sampleBits is how many leading bits a sample keeps then, which is what HdrHistogram keeps for three digits.
	sampleBits = 11
)

// sample is a distribution in bounded memory, in nanoseconds. Its quantiles are by nearest rank.
type sample struct {
	exact []int64
	rough map[int64]int64 // how many there are of each, rounded down; nil: all are exact
	n     int64
	max   int64
}

func (s *sample) add(ns int64) {
	ns = max(0, ns)
	s.n++
	s.max = max(s.max, ns)
	if s.rough != nil {
		s.rough[rounded(ns)]++
		return
	}
	if s.exact = append(s.exact, ns); len(s.exact) <= exactSamples {
		return
	}
	s.rough = map[int64]int64{}
	for _, ns := range s.exact {
		s.rough[rounded(ns)]++
	}
	s.exact = nil
}

func rounded(ns int64) int64 {
	shift := max(0, bits.Len64(uint64(ns))-sampleBits)
	return ns >> shift << shift
}

// quantile is the q-th quantile; not measured if there are no samples, for this reason.
func (s *sample) quantile(q float64, none string) Span {
	if s.n == 0 {
		return NoSpan(none)
	}
	rank := quantile.Rank(q, s.n)
	if s.rough == nil {
		slices.Sort(s.exact)
		return SpanOf(s.exact[rank-1])
	}
	for _, ns := range slices.Sorted(maps.Keys(s.rough)) {
		if rank -= s.rough[ns]; rank <= 0 {
			return SpanOf(ns)
		}
	}
	return SpanOf(s.max)
}

// reset makes the sample empty, and keeps its memory.
func (s *sample) reset() { *s = sample{exact: s.exact[:0]} }

// recordIn records all samples in a latency.
func (s *sample) recordIn(l *Latency) error {
	for _, ns := range s.exact {
		if err := l.Record(ns); err != nil {
			return err
		}
	}
	for ns, n := range s.rough {
		if err := l.recordMany(ns, n); err != nil {
			return err
		}
	}
	l.max = max(l.max, s.max)
	return nil
}
