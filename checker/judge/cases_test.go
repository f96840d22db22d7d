package judge

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// TestCases judges histories that were once judged wrongly, or that no test noticed.
func TestCases(t *testing.T) {
	alone := checker.Options{DataOptional: true}
	const (
		na      = checker.NotApplicable
		valid   = checker.Valid
		invalid = checker.Invalid
	)
	type verdicts [3]checker.Verdict
	for _, tt := range []struct {
		file string
		opt  checker.Options
		want verdicts // exclusion, data, liveness
		// counts are the counts, but for how much was done.
		counts  checker.Counts
		refused string // what the error says; its line is that of the case
	}{
		{file: "tie-order-a", opt: alone, want: verdicts{invalid, na, na}, counts: checker.Counts{Overlap: 1, TokenRegression: 1}},
		{file: "tie-order-b", opt: alone, want: verdicts{invalid, na, na}, counts: checker.Counts{Overlap: 1, TokenRegression: 1}},
		{file: "hosts-order-a", opt: alone, want: verdicts{invalid, na, na}, counts: checker.Counts{TokenRegression: 1}},
		{file: "hosts-order-b", opt: alone, want: verdicts{invalid, na, na}, counts: checker.Counts{TokenRegression: 1}},
		{file: "hosts-unanswered-request", opt: alone, want: verdicts{valid, checker.Unknown, na}},
		{file: "lone-surrogates", refused: "line 1: column 81: field \"lock\": want Unicode, got \\ud800, which is half of a pair"},
		{file: "maxint-hold", refused: "line 4: time 9223372036854775807 is too large"},
		{file: "maxint-time", refused: "line 13: time 9223372036854775807 is too large"},
		{file: "lock-only", opt: alone, want: verdicts{valid, na, na}},
		{file: "lock-only", want: verdicts{valid, checker.Unknown, na}},
		{file: "shared-readers", opt: alone, want: verdicts{invalid, valid, na}, counts: checker.Counts{Overlap: 1}},
		{file: "mutant-answered-after-abandon", want: verdicts{invalid, valid, na}, counts: checker.Counts{Overlap: 1}},
		{file: "mutant-died-by-kill-eq", want: verdicts{valid, checker.Unknown, na}},
		{file: "mutant-kill-ok", want: verdicts{invalid, checker.Unknown, na}, counts: checker.Counts{Overlap: 1}},
		{file: "mutant-token-first", want: verdicts{invalid, invalid, na}, counts: checker.Counts{StaleWrite: 1, TokenRegression: 1}},
		{file: "reentrant-same-token", want: verdicts{invalid, valid, na}, counts: checker.Counts{Overlap: 1, TokenRegression: 1}},
		{file: "reentrant-same-token", opt: checker.Options{Reentrant: true}, want: verdicts{valid, valid, na}},
		{file: "stuck-after-kill", want: verdicts{valid, valid, na}},
		{file: "stuck-after-kill", opt: checker.Options{GrantedWithin: 10e9}, want: verdicts{valid, valid, invalid}, counts: checker.Counts{StuckLock: 1}},
		{file: "stuck-after-kill", opt: checker.Options{GrantedWithin: 200e9}, want: verdicts{valid, valid, valid}},
		{file: "lost-without-cause", want: verdicts{valid, valid, na}, counts: checker.Counts{NeedlessLoss: 1, LossCost: 1_902_000_000}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			r, err := File(filepath.Join("testdata", tt.file+".jsonl"), tt.opt)
			if tt.refused != "" {
				var line *history.LineError
				if !errors.As(err, &line) || !strings.Contains(err.Error(), tt.refused) {
					t.Fatalf("got %v, want %s", err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := (verdicts{r.Exclusion.Verdict, r.Data.Verdict, r.Liveness.Verdict}); got != tt.want {
				t.Errorf("got %v, want %v: %+v", got, tt.want, r)
			}
			got := r.Counts
			got.Attempts, got.Grants, got.Writes, got.Ambiguous = 0, 0, 0, 0
			// How bad it was is not what the cases are about.
			got.OverlapTime, got.LongestOverlap, got.OverlapBrief, got.Told, got.ToldLate, got.WorstMargin = 0, 0, 0, 0, 0, 0
			if got != tt.counts {
				t.Errorf("got %+v, want %+v", got, tt.counts)
			}
		})
	}
}
