package scenarios

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzParse: whatever a file holds is a scenario or an error, and no panic.
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
	for _, s := range []string{"&a [*a]", "*a", "a: &a {b: *a}", "<<: 3", "<<: {name: x}", "? [a]\n: b", "!!str 3", "name: &n x\nsummary: *n", "workload: {<<: *x}", "- - -", "workload: !!map {}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Parse("x.yaml", b); err != nil {
			_ = err.Error()
		}
	})
}
