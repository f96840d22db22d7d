package report

import (
	"os/exec"
	"strings"
	"testing"
)

// TestPure holds the one-way flow: what judges and shows histories knows nothing of what made them.
func TestPure(t *testing.T) {
	const module = "github.com/lockbench/lockbench/"
	out, err := exec.Command("go", "list", "-deps", module+"report", module+"checker", module+"internal/results", module+"internal/history").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	allowed := map[string]bool{"report": true, "checker": true, "internal/results": true, "internal/history": true, "internal/explain": true, "internal/quantile": true, "internal/units": true}
	seen := 0
	for dep := range strings.FieldsSeq(string(out)) {
		if name, ours := strings.CutPrefix(dep, module); ours {
			seen++
			if !allowed[name] {
				t.Errorf("depends on %s", name)
			}
		}
	}
	if seen != len(allowed) {
		t.Errorf("%d packages of this module were listed, want %d: %s", seen, len(allowed), out)
	}
}
