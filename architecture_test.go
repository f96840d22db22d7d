// Package lockbench_test holds what ARCHITECTURE.md says of who may import whom.
package lockbench_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lockbench/lockbench/"

// TestFloors looks for arrows that must never be, also through other packages. A name stands for the packages below
// it, too.
func TestFloors(t *testing.T) {
	formats := []string{"report/bench", "report/csv", "report/html", "report/json", "report/junit", "report/markdown", "report/text"}
	makers := []string{"drivers", "faults", "scenarios", "internal/servers", "internal/provision", "internal/workload", "internal/resource", "internal/run"}
	deps := dependencies(t)
	type arrow struct{ from, to []string }
	arrows := []arrow{
		{[]string{"checker", "report", "internal/results"}, makers},                                               // what judges knows nothing of what made a history
		{[]string{"checker"}, []string{"report"}},                                                                 // verdicts do not hang on how they are shown
		{[]string{"drivers", "internal/workload"}, []string{"internal/results"}},                                  // a client leaves ops, and nothing else
		{[]string{"faults", "internal/run/nemesis"}, []string{"internal/servers", "internal/provision/local"}},    // what breaks servers does not know which they are
		{[]string{"internal/servers"}, []string{"internal/provision/local", "internal/workload", "internal/run"}}, // a recipe does not know where it runs
		{[]string{"internal/topology"}, []string{"drivers", "faults", "scenarios"}},
		{[]string{"report/measure"}, []string{"report/compare"}},                                                 // what is measured comes before what is said of it
		{[]string{"report/compare"}, append([]string{"report/formats"}, formats...)},                             // what is said comes before how it is written
		{[]string{"checker/history", "internal/units", "internal/quantile"}, []string{"report", "internal/run"}}, // leaves
	}
	for _, f := range formats {
		others := slices.DeleteFunc(slices.Clone(formats), func(other string) bool { return other == f })
		arrows = append(arrows, arrow{[]string{f}, append(others, "report/formats", "report/compare")})
	}
	for _, a := range arrows {
		for _, from := range a.from {
			seen := false
			for name, all := range deps {
				if !below(from, name) {
					continue
				}
				seen = true
				for _, dep := range all {
					if slices.ContainsFunc(a.to, func(to string) bool { return below(to, dep) }) {
						t.Errorf("%s depends on %s", name, dep)
					}
				}
			}
			if !seen {
				t.Errorf("there is no package %s", from)
			}
		}
	}
}

// TestGoInstallWorks: go install builds no module that replaces or excludes others.
func TestGoInstallWorks(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct{ Replace, Exclude []any }
	if err := json.Unmarshal(out, &mod); err != nil || len(mod.Replace)+len(mod.Exclude) > 0 {
		t.Errorf("%v, go.mod replaces %v and excludes %v", err, mod.Replace, mod.Exclude)
	}
}

func below(room, name string) bool { return name == room || strings.HasPrefix(name, room+"/") }

// dependencies lists what each package of this module imports of this module, directly or through others.
func dependencies(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./...").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		var ours []string
		for _, dep := range fields[1:] {
			if name, ok := strings.CutPrefix(dep, module); ok {
				ours = append(ours, name)
			}
		}
		all[strings.TrimPrefix(fields[0], module)] = ours
	}
	return all
}
