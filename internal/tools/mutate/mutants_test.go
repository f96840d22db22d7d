package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const source = `package p

func Max(a, b int) int {
	n := a
	if a < b {
		n = b
	}
	return n
}
`

func TestMutants(t *testing.T) {
	all, err := mutantsOf("p.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range all {
		got = append(got, m.String())
	}
	want := []string{
		`p.go: if a < b {: "a < b" becomes "!(a < b)"`, `p.go: if a < b {: "<" becomes "<="`, `p.go: n = b: "n = b" becomes ""`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := strings.Replace(source, "n = b", "", 1); string(all[2].text) != want {
		t.Errorf("got %s", all[2].text)
	}
}

// TestRun tries the mutants of a package with a test, of which one makes no difference.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module p\n", "p.go": source,
		"p_test.go": "package p\n\nimport (\n\t\"flag\"\n\t\"testing\"\n)\n\nvar (\n\t_ = flag.Int(\"rapid.checks\", 0, \"\")\n\t_ = flag.Bool(\"rapid.nofailfile\", false, \"\")\n)\n\n" +
			"func TestMax(t *testing.T) {\n\tif Max(1, 2) != 2 || Max(2, 1) != 2 {\n\t\tt.Error()\n\t}\n}\n",
		"known": "p.go: if a < b {: \"<\" becomes \"<=\" # equal numbers are the same\n", "old": "p.go: gone # no more\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-seed", "1", "."}, 1, "survived: p.go: if a < b {: \"<\" becomes \"<=\"\ncaught 2 of 3 mutants, 66.7 %"},
		{[]string{"-known", "known", "."}, 0, "caught 2 of 2 mutants, 100.0 %"},
		{[]string{"-known", "old", "."}, 2, "there is no such mutant any more: p.go: gone"},
		{nil, 2, "usage"},
	} {
		var out bytes.Buffer
		if code := run(context.Background(), &out, &out, tt.args); code != tt.code || !strings.Contains(out.String(), tt.says) {
			t.Errorf("%q: exit code %d: %s", tt.args, code, &out)
		}
	}
}
