package csv

import (
	"os"
	"strings"
	"testing"
)

func TestEveryColumnIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range runColumns() {
		names = append(names, c.name)
	}
	for _, c := range columns() {
		names = append(names, c.name)
	}
	seen := map[string]bool{}
	for _, name := range names {
		if !strings.Contains(string(b), "`"+name+"`") {
			t.Errorf("docs/results.md does not describe the column %s", name)
		}
		if seen[name] {
			t.Errorf("there are two columns %s", name)
		}
		seen[name] = true
	}
}
