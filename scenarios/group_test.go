package scenarios_test

import (
	"testing"

	"github.com/lockbench/lockbench/scenarios"
)

// Each shipped scenario says what it breaks, and is in one group.
func TestEveryScenarioIsInOneGroup(t *testing.T) {
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		n := 0
		for _, g := range scenarios.Groups() {
			if s.In(g) {
				n++
			}
		}
		if n != 1 || s.Group == "" {
			t.Errorf("%s is in %d groups, and says %q", s.Name, n, s.Group)
		}
	}
}
