//go:build unix

package disk

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

func TestSweepTemps(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".run.json.123", "run.json", ".hidden", ".run.json.x", ".a.jsonl.7"} {
		must.Succeed(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	must.Succeed(t, os.Mkdir(filepath.Join(dir, ".dir.1"), 0o700))
	f, err := CreateTemp(filepath.Join(dir, "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	left := func() (names []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	before := len(left())
	must.Succeed(t, SweepTemps(dir))
	if now := left(); len(now) != before-2 {
		t.Errorf("left: %v", now)
	}
	if _, err := os.Stat(f.Name()); err != nil {
		t.Errorf("the file of a writer that lives: %v", err)
	}
	must.Succeed(t, f.Close())
	must.Succeed(t, SweepTemps(dir))
	if now := left(); len(now) != before-3 {
		t.Errorf("left: %v", now)
	}
	must.Succeed(t, SweepTemps(filepath.Join(dir, "nothing")))
}
