//go:build long

package main

import (
	"slices"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
)

// TestTheExampleRunsAsShipped runs all of the scenario in docs/scenarios.md. Everything runs to its end, and SETNX lets a
// second client in, as the scenario says.
func TestTheExampleRunsAsShipped(t *testing.T) {
	file := write(t, "mine.yaml", exampleOf(t, pages(t)))
	dir := start(t, "run", "--scenario", file).finish(exitValid, exitViolation)[0]
	saved, err := results.Load(dir)
	if err != nil || saved.Run.Status != results.Complete {
		t.Fatalf("%v; it is %s: %s", err, saved.Run.Status, saved.Run.Reason)
	}
	for _, test := range saved.Run.Tests {
		if test.Status != results.Complete && test.Status != results.NotApplicable {
			t.Errorf("%s is %s: %s", test.Name, test.Status, test.Reason)
		}
	}
	if !slices.ContainsFunc(saved.Verdicts.Tests, func(v results.TestVerdict) bool { return v.Result.Exclusion.Verdict == checker.Invalid }) {
		t.Errorf("nobody let a second client in: %+v", saved.Verdicts.Tests)
	}
}
