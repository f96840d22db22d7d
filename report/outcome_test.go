package report

import (
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
)

func TestOutcomeOfNothing(t *testing.T) {
	if code := Outcome(results.Run{Status: results.Complete}, results.Verdicts{}).ExitCode(); code != 3 {
		t.Errorf("exit code %d", code)
	}
}

func TestOutcome(t *testing.T) {
	type test struct {
		status          results.Status
		exclusion, data checker.Verdict
		liveness        checker.Verdict
		unjudged        bool
		expect          *results.Expect
		phase           results.Status
	}
	const valid, invalid, unknown, na = checker.Valid, checker.Invalid, checker.Unknown, checker.NotApplicable
	broken := &results.Expect{Exclusion: "invalid", Data: "invalid"}
	whatever := &results.Expect{Exclusion: "any", Data: "any"}
	good := test{exclusion: valid, data: valid, liveness: valid}
	for _, tt := range []struct {
		name   string
		run    results.Status
		driver results.Status
		tests  []test
		want   Tally
		code   int
	}{
		{"all valid", "", "", []test{good}, Tally{Valid: 3}, 0},
		{"liveness not judged", "", "", []test{{exclusion: valid, data: valid, liveness: na}}, Tally{Valid: 2}, 0},
		{"violation", "", "", []test{good, {exclusion: invalid, data: valid, liveness: valid}}, Tally{Valid: 5, Unexpected: 1}, 1},
		{"stuck", "", "", []test{{exclusion: valid, data: valid, liveness: invalid}}, Tally{Valid: 2, Unexpected: 1}, 1},
		{"expected", "", "", []test{{exclusion: invalid, data: invalid, liveness: valid, expect: broken}}, Tally{Valid: 1, Expected: 2}, 0},
		{"expected by one, found in the other", "", "",
			[]test{{exclusion: invalid, data: invalid, liveness: valid, expect: &results.Expect{Exclusion: "invalid"}}},
			Tally{Valid: 1, Expected: 1, Unexpected: 1}, 1},
		{"missing", "", "", []test{{exclusion: invalid, data: valid, liveness: valid, expect: broken}}, Tally{Valid: 1, Expected: 1, Missing: 1}, 3},
		{"missing because unknown", "", "", []test{{exclusion: unknown, data: invalid, liveness: valid, expect: broken}}, Tally{Valid: 1, Expected: 1, Missing: 1}, 3},
		{"whatever, broken", "", "", []test{{exclusion: invalid, data: valid, liveness: valid, expect: whatever}}, Tally{Valid: 2, Expected: 1}, 0},
		{"whatever, unknown", "", "", []test{{exclusion: unknown, data: valid, liveness: valid, expect: whatever}}, Tally{Valid: 2, Unknown: 1}, 3},
		{"expected valid", "", "", []test{{exclusion: invalid, data: valid, liveness: valid, expect: &results.Expect{Exclusion: "valid"}}}, Tally{Valid: 2, Unexpected: 1}, 1},
		{"unknown", "", "", []test{{exclusion: unknown, data: valid, liveness: valid}}, Tally{Valid: 2, Unknown: 1}, 3},
		{"violation and unknown", "", "", []test{{exclusion: unknown, data: invalid, liveness: valid}}, Tally{Valid: 1, Unknown: 1, Unexpected: 1}, 1},
		{"not judged", "", "", []test{{unjudged: true}}, Tally{Unknown: 3}, 3},
		{"incomplete is not valid", "", "", []test{{status: results.Incomplete, exclusion: valid, data: valid, liveness: valid}}, Tally{Unknown: 3}, 3},
		{"incomplete and broken", "", "", []test{{status: results.Incomplete, exclusion: invalid, data: valid, liveness: valid}}, Tally{Unknown: 2, Unexpected: 1}, 1},
		{"incomplete and broken as expected", "", "", []test{{status: results.Incomplete, exclusion: invalid, data: invalid, liveness: na, expect: broken}}, Tally{Unknown: 1, Expected: 2}, 3},
		{"no status", "", "", []test{{status: "?", exclusion: valid, data: valid, liveness: valid}}, Tally{Unknown: 3}, 3},
		{"test not run", "", "", []test{good, {status: results.NotRun}}, Tally{Valid: 3, NotRun: 1}, 3},
		{"phase not run", "", "", []test{{exclusion: valid, data: valid, liveness: valid, phase: results.NotRun}}, Tally{Valid: 3, NotRun: 1}, 3},
		{"phase without meaning", "", "", []test{{exclusion: valid, data: valid, liveness: valid, phase: results.NotApplicable}}, Tally{Valid: 3}, 0},
		{"test without meaning", "", "", []test{good, {status: results.NotApplicable}}, Tally{Valid: 3}, 0},
		{"driver not run", "", results.NotRun, []test{{status: results.NotRun}, {status: results.NotRun}}, Tally{NotRun: 1}, 3},
		{"driver failed", "", results.Failed, []test{{status: results.Failed}}, Tally{Failed: 1}, 4},
		{"driver failed after a violation", "", results.Failed, []test{{exclusion: invalid, data: valid, liveness: valid}}, Tally{Failed: 1, Unexpected: 1, Valid: 2}, 4},
		{"test failed", "", "", []test{good, {status: results.Failed}}, Tally{Valid: 3, Failed: 1}, 4},
		{"run failed", results.Failed, "", []test{good}, Tally{Valid: 3, Failed: 1}, 4},
		{"interrupted", results.Incomplete, "", []test{good}, Tally{Valid: 3, Interrupted: true}, 3},
		{"driver interrupted", "", results.Incomplete, []test{good}, Tally{Valid: 3, Unknown: 1}, 3},
		{"driver without a test", "", "", nil, Tally{Unknown: 1}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := results.Run{Status: tt.run, Drivers: []results.Driver{{Name: "d", Status: tt.driver}}}
			if run.Status == "" {
				run.Status = results.Complete
			}
			if tt.driver == "" {
				run.Drivers[0].Status = results.Complete
			}
			var verdicts results.Verdicts
			for i, x := range tt.tests {
				test := results.Test{Name: string(rune('a' + i)), Driver: "d", Status: x.status, Expect: x.expect}
				if test.Status == "" {
					test.Status = results.Complete
				}
				if x.phase != "" {
					test.Phases = []results.Phase{{Name: "p", Status: x.phase}}
				}
				run.Tests = append(run.Tests, test)
				if !x.unjudged && (x.exclusion != na || x.data != na) {
					verdicts.Tests = append(verdicts.Tests, results.TestVerdict{Test: test.Name, Result: checker.Result{
						Exclusion: checker.Judgement{Verdict: x.exclusion}, Data: checker.Judgement{Verdict: x.data}, Liveness: checker.Judgement{Verdict: x.liveness},
					}})
				}
			}
			got := Outcome(run, verdicts)
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if got.ExitCode() != tt.code {
				t.Errorf("exit code %d, want %d", got.ExitCode(), tt.code)
			}
		})
	}
}
