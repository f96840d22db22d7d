package scenarios

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/goccy/go-yaml"
)

// FuzzParse: whatever a file holds is a scenario or an error, takes no more memory than its length allows, and means
// what it says.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"*.yaml", "testdata/bad/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal(files, err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	const small = "name: s\nsummary: It shows.\nworkload: {clients: 2, workers: 1, locks: 1, ttl: 2s, rate: 5, acquire-timeout: 1s, fencing: unfenced, lost: heeding}\n" +
		"phases: [{name: calm, for: 1s}, {name: cut, for: 1ttl, faults: [{name: partition, target: holder, dead-peer: 1s}]}]\n"
	for _, s := range []string{
		small, "\ufeff" + small, strings.Replace(small, "clients: 2", "clients: 010", 1), strings.Replace(small, "rate: 5", "rate: 0x10", 1),
		strings.Replace(small, "workload: {", "workload: &w {<<: *w, ", 1), strings.Replace(small, "name: s", `name: "\e[2J"`, 1),
		strings.Repeat("- ", 1000), strings.Repeat("[", 1000), strings.Repeat("{a: ", 1000), strings.Repeat("? ", 1000), strings.Repeat("-\n", 1000),
		"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n", "&a [*a]", "*a", "a: &a {b: *a}", "<<: 3", "<<: {name: x}", "? [a]\n: b", "!!str 3",
		"name: &n x\nsummary: *n", "workload: {<<: *x}", "- - -", "workload: !!map {}", "%YAML 1.1\n---\n", "a: |\n b", "a: >-\n b\n c", "---\n---\n", "a: 'b\n\n c'",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := Parse("x.yaml", b)
		if err != nil {
			_ = err.Error()
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20+5000*uint64(len(b)) {
			t.Errorf("%d bytes took %d bytes of memory", len(b), took)
		}
		if err == nil {
			meansWhatItSays(t, b, s)
		}
	})
}

// meansWhatItSays holds a scenario against its file, and against what is saved of it.
func meansWhatItSays(t *testing.T, file []byte, s Scenario) {
	for _, n := range []int{s.Workload.Clients, s.Workload.Workers, s.Workload.Locks, s.Require.Grants, s.Require.Attempts} {
		if n != 0 && !bytes.Contains(file, []byte(strconv.Itoa(n))) {
			t.Errorf("there is no %d in the file", n)
		}
	}
	names := s.Name
	for _, p := range s.Phases {
		names += p.Name
	}
	if strings.ContainsFunc(names, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("names %q", names)
	}
	saved, err := yaml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again Scenario
	if err := Unmarshal("saved.yaml", saved, &again); err != nil {
		t.Fatalf("what is saved of it is refused: %v\n%s", err, saved)
	}
	s.file, s.source = "", nil
	if !reflect.DeepEqual(again, s) {
		t.Errorf("what is saved of it means something else:\n%+v\n%+v\n%s", s, again, saved)
	}
}
