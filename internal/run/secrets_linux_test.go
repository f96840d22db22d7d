package run

import (
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
)

// A run leaves nothing in its directory by which its servers or its resource could have been used, and works on all
// of them.
func TestRunKeepsItsSecrets(t *testing.T) {
	secret := regexp.MustCompile(`\b[A-Z2-7]{26}\b`) // as they are drawn
	if text := rand.Text(); !secret.MatchString(text) {
		t.Fatalf("a secret looks like %q", text)
	}
	scenario := patient(only(quick(t, 20*time.Second), "healed"))
	// Many workers that open sessions at once would keep each other from a grant on a busy machine.
	scenario.Workload.Clients, scenario.Workload.Workers = 1, 1
	run, judged := verdicts(t, Config{
		Scenario: scenario,
		Drivers:  []drivers.Driver{find("redis-setnx"), find("etcd"), find("zookeeper"), find("postgres-row"), find("postgres-advisory+xact")},
	})
	for test, result := range judged {
		if result.Counts.Grants == 0 {
			t.Errorf("%s: no grants", test)
		}
	}
	files := 0
	err := filepath.WalkDir(run.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if found := secret.Find(content); found != nil {
			t.Errorf("%s has %q", path, found)
		}
		files++
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files, %v", files, err)
	}
}
