package compare

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/report"
)

func TestEstimate(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   report.Estimate
	}{
		{nil, report.Estimate{}},
		{[]float64{3}, report.Estimate{Rounds: 1, Median: 3}},
		{[]float64{4, 1, 3, 2}, report.Estimate{Rounds: 4, Median: 2.5}},
		{[]float64{9, 1, 3, 2, 5}, report.Estimate{Rounds: 5, Median: 3, Low: 1, High: 9, Confidence: 0.9375}},
		{[]float64{6, 1, 3, 2, 4, 5}, report.Estimate{Rounds: 6, Median: 3.5, Low: 1, High: 6, Confidence: 0.96875}},
		{[]float64{0, 0, 0, 0, 0}, report.Estimate{Rounds: 5, Confidence: 0.9375}},
	} {
		if got := estimate(tt.values); got != tt.want {
			t.Errorf("%v: %+v, want %+v", tt.values, got, tt.want)
		}
	}
}

func TestEstimateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1e12), 0, 30)
		a, b := estimate(values.Draw(t, "a")), estimate(values.Draw(t, "b"))
		if a.HasInterval() && (a.Low > a.Median || a.High < a.Median || a.Confidence < 0.9375) {
			t.Errorf("%+v", a)
		}
		turned := map[difference]difference{tooFewRounds: tooFewRounds, intervalsOverlap: intervalsOverlap, below: above, above: below}
		if got := compareTo(a, b); compareTo(b, a) != turned[got] {
			t.Errorf("%+v to %+v is %v, and back %v", a, b, got, compareTo(b, a))
		}
		if compareTo(a, a) == below || compareTo(a, a) == above {
			t.Errorf("%+v differs from itself", a)
		}
		// What is said to be slower is slower in the median, too.
		if compareTo(a, b) == above && b.Median <= a.Median {
			t.Errorf("%+v lies above %+v", b, a)
		}
	})
}

// TestIntervalCovers draws rounds from a distribution with a long tail, of which the median is known. From two sets
// of one and the same distribution a difference is told rarely.
func TestIntervalCovers(t *testing.T) {
	const median, trials = 0.6931471805599453, 2000
	r := rand.New(rand.NewPCG(1, 2))
	for _, rounds := range []int{5, 6, 10} {
		covered, differ := 0, 0
		for range trials {
			var sets [2]report.Estimate
			for i := range sets {
				var values []float64
				for range rounds {
					values = append(values, r.ExpFloat64())
				}
				sets[i] = estimate(values)
			}
			if sets[0].Low <= median && median <= sets[0].High {
				covered++
			}
			if d := compareTo(sets[0], sets[1]); d == above || d == below {
				differ++
			}
		}
		if share := float64(covered) / trials; share < 0.925 {
			t.Errorf("%d rounds: %.3f of the intervals cover the median", rounds, share)
		}
		if share := float64(differ) / trials; share > 0.02 {
			t.Errorf("%d rounds: %.3f of the pairs are told to differ", rounds, share)
		}
	}
}
