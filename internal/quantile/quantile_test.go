package quantile

import (
	"math/big"
	"slices"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"
)

func TestRank(t *testing.T) {
	for _, tt := range []struct {
		q       float64
		n, want int64
	}{
		{.5, 0, 0}, {.5, 1, 1}, {.5, 2, 1}, {.5, 3, 2}, {.99, 100, 99}, {.99, 101, 100}, {.99, 149, 148}, {.99, 160, 159}, {.99, 200, 198},
		{.999, 1000, 999}, {.999, 1558, 1557}, {.9, 10, 9}, {0, 5, 1}, {1, 5, 5}, {.999, 1_000_000_000, 999_000_000},
	} {
		if got := Rank(tt.q, tt.n); got != tt.want {
			t.Errorf("rank of %v among %d: %d, want %d", tt.q, tt.n, got, tt.want)
		}
	}
}

// The rank is the ceiling, in exact arithmetic.
func TestRankIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 10_000_000).Draw(t, "n")
		thousandths := rapid.Int64Range(1, 999).Draw(t, "q")
		exact := new(big.Int).Mul(big.NewInt(n), big.NewInt(thousandths))
		want := exact.Add(exact, big.NewInt(999)).Div(exact, big.NewInt(1000)).Int64()
		if got := Rank(float64(thousandths)/1000, n); got != want {
			t.Fatalf("%d, want %d", got, want)
		}
	})
}

func TestOfAHistogram(t *testing.T) {
	if got := Of(hdrhistogram.New(1, 100, 3), .5); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(1, 1000), 1, 500).Draw(t, "values") // each has a bucket of its own
		q := float64(rapid.IntRange(1, 999).Draw(t, "q")) / 1000
		h := hdrhistogram.New(1, 1000, 3)
		for _, v := range values {
			if err := h.RecordValue(v); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(values)
		if got, want := Of(h, q), values[Rank(q, int64(len(values)))-1]; got != want {
			t.Fatalf("%d, want %d", got, want)
		}
	})
}
