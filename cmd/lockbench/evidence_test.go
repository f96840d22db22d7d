package main

import (
	"slices"
	"testing"

	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/scenarios"
)

// A report that lacks an evidence names a scenario that would show it.
func TestEvidenceNamesScenarios(t *testing.T) {
	names := scenarios.Names()
	for _, e := range report.Evidences() {
		if !slices.Contains(names, e.Scenario) {
			t.Errorf("%s names the scenario %s; there are %v", e.ID, e.Scenario, names)
		}
	}
}
