package report

import (
	"os"
	"strings"
	"testing"
)

func TestEveryColumnIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range csvColumns() {
		if !strings.Contains(string(b), "`"+c.name+"`") {
			t.Errorf("docs/results.md does not describe the column %s", c.name)
		}
		if seen[c.name] {
			t.Errorf("there are two columns %s", c.name)
		}
		seen[c.name] = true
	}
}
