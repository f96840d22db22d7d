package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestBadScenarios holds what lockbench says of every bad file against the text beside it. Each mistake has its line and
// column, and nothing starts.
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
			if code := run(t.Context(), nil, &said, &said, []string{"run", "--scenario", "./" + file, "--out", out}); code != exitUsage {
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
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("it says:\n%swant (go test ./cmd/lockbench -update writes it anew):\n%s", got, want)
			}
		})
	}
}
