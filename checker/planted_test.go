package checker

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/checker/history"
)

// rows are the counts of one history that are not zero, of what a right lock under a right resource has none.
func rows(c Counts) map[string]int {
	all := map[string]int{
		"overlap": c.Overlap, "interleaved": c.Interleaved, "token_regression": c.TokenRegression, "stale_write": c.StaleWrite,
		"lost_update": c.LostUpdate, "fenced_off": c.FencedOff, "broken_fence": c.BrokenFence, "stuck_lock": c.StuckLock,
	}
	for name, n := range all {
		if n == 0 {
			delete(all, name)
		}
	}
	return all
}

// TestPlantedBugs convicts each bug of what it did, and of nothing that it did not do.
func TestPlantedBugs(t *testing.T) {
	torn := []string{"interleaved", "stale_write", "lost_update"} // what can come of two holders
	for _, tt := range []struct {
		name                string
		planted             planted
		must, may           []string
		exclusion, liveness Verdict
	}{
		{"a right lock", planted{}, nil, nil, Valid, Valid},
		{"a right lock and a right fence", planted{fenced: true}, nil, nil, Valid, Valid},
		{"ignores the TTL", planted{ignoresTTL: true}, []string{"stuck_lock"}, nil, Unknown, Invalid},
		{"reuses a token", planted{reusesTokens: true}, []string{"token_regression"}, nil, Invalid, Valid},
		{"lets a stranger release", planted{strangersRelease: true}, []string{"overlap"}, torn, Invalid, Valid},
		{"grants twice", planted{grantsTwice: true}, []string{"overlap"}, torn, Invalid, Valid},
		{"forgets a release", planted{forgetsRelease: true}, []string{"stuck_lock"}, nil, Valid, Invalid},
		{"releases late", planted{releasesLate: true}, []string{"stuck_lock"}, nil, Valid, Invalid},
		{"its users overstay", planted{overstays: true}, []string{"overlap", "stale_write"}, torn, Invalid, Valid},
		{"its users overstay and are fenced off", planted{overstays: true, fenced: true}, []string{"overlap", "fenced_off"}, []string{"interleaved"}, Invalid, Valid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !reflect.DeepEqual(simulate(tt.planted, 0), simulate(tt.planted, 0)) {
				t.Error("a seed does not repeat its history")
			}
			for seed := range uint64(6) {
				r := check(t, simulate(tt.planted, seed), Options{StuckAfter: simBound, MinGrants: 1, MinAttempts: 1, Fenced: tt.planted.fenced})
				got := rows(r.Counts)
				for _, row := range tt.must {
					if got[row] == 0 {
						t.Errorf("seed %d: %s was not noticed: %+v", seed, row, r.Counts)
					}
				}
				for row, n := range got {
					if !slices.Contains(tt.must, row) && !slices.Contains(tt.may, row) {
						t.Errorf("seed %d: %d %s: it did not do that", seed, n, row)
					}
				}
				wrong := r.Counts.StaleWrite+r.Counts.LostUpdate > 0
				if r.Exclusion.Verdict != tt.exclusion || r.Liveness.Verdict != tt.liveness || (r.Data.Verdict == Invalid) != wrong {
					t.Errorf("seed %d: exclusion %+v, data %+v, liveness %+v", seed, r.Exclusion, r.Data, r.Liveness)
				}
				if (len(r.Incidents) > 0) != (r.Exclusion.Verdict == Invalid || wrong) {
					t.Errorf("seed %d: %d incidents of %+v", seed, len(r.Incidents), r.Counts)
				}
				// What would be no test of a lock: nothing went wrong around it.
				if r.Counts.Attempts < 50 || r.Counts.Ambiguous == 0 {
					t.Errorf("seed %d: only %d attempts, %d ambiguous", seed, r.Counts.Attempts, r.Counts.Ambiguous)
				}
			}
		})
	}
}

// BenchmarkCheck judges the histories of locks that grant twice now and then.
func BenchmarkCheck(b *testing.B) {
	var ops []history.Op
	for seed := range uint64(50) {
		run := simulate(planted{grantsTwice: true}, seed)
		for i := range run { // each run has locks and workers of its own, and follows the one before it
			op := &run[i]
			op.Index, op.Time = int64(len(ops)+i), op.Time+int64(seed)<<20
			if op.Process >= 0 {
				op.Process += int64(seed) << 10
				op.Lock = fmt.Sprintf("l%d", seed)
			}
			if op.Seq > 0 {
				op.Seq += seed << 20
			}
		}
		ops = append(ops, run...)
	}
	for b.Loop() {
		if _, err := Check(ops, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(ops))/b.Elapsed().Seconds(), "lines/s")
}
