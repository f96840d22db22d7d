package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/golden"
)

// TestBadScenarios holds what lockbench says of every bad file against the text beside it. Each mistake has its line
// and column, and nothing starts.
func TestBadScenarios(t *testing.T) {
	t.Chdir("../../scenarios/testdata/bad")
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	place := regexp.MustCompile(`^lockbench: \./[a-z-]+\.yaml:[0-9]+:[0-9]+: `)
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			out := t.TempDir()
			var said bytes.Buffer
			if code := program(t.Context(), nil, &said, &said, []string{"run", "--scenario", "./" + file, "--out", out}); code != exitUsage {
				t.Fatalf("exit code %d, want %d", code, exitUsage)
			}
			if left, err := os.ReadDir(out); err != nil || len(left) > 0 {
				t.Errorf("something was started: %v, %v", left, err)
			}
			for line := range strings.Lines(said.String()) {
				if !place.MatchString(line) {
					t.Errorf("it does not say where: %s", line)
				}
			}
			// What there is of keys, faults and drivers is not this test's business.
			got := regexp.MustCompile(`; there are: .*`).ReplaceAllString(said.String(), "; there are: …")
			golden.Compare(t, strings.TrimSuffix(file, ".yaml")+".txt", []byte(got))
		})
	}
}
