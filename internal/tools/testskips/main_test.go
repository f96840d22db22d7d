package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Events as `go test -json` writes them, shortened.
const (
	docker = `{"Action":"output","Package":"p","Test":"TestDocker","Output":"    x_test.go:5: SKIPPED, NOT PROVEN: no Docker engine\n"}
{"Action":"skip","Package":"p","Test":"TestDocker"}
`
	silent = `{"Action":"output","Package":"p","Test":"TestLazy","Output":"    x_test.go:9: not today\n"}
{"Action":"skip","Package":"p","Test":"TestLazy"}
`
	passed = `{"Action":"output","Package":"p","Test":"TestTalk","Output":"SKIPPED, NOT PROVEN: only said so\n"}
{"Action":"pass","Package":"p","Test":"TestTalk"}
{"Action":"skip","Package":"empty"}
`
)

func TestRun(t *testing.T) {
	const nothing = "skipped for want of a capability of this machine: nothing\n"
	for _, c := range []struct {
		name, events string
		ci           bool
		code         int
		out, errs    string
	}{
		{"no skip", passed, true, 0, nothing, ""},
		{"capability", docker + passed, true, 0, "SKIPPED, NOT PROVEN on this machine: no Docker engine (TestDocker)\n", ""},
		{"two tests, one capability", docker + strings.ReplaceAll(docker, "TestDocker", "TestTwo"), true, 0,
			"SKIPPED, NOT PROVEN on this machine: no Docker engine (TestDocker, TestTwo)\n", ""},
		{"unexplained", silent, false, 0, nothing, "p TestLazy"},
		{"unexplained in CI", docker + silent, true, 1, "SKIPPED, NOT PROVEN on this machine: no Docker engine (TestDocker)\n", "p TestLazy"},
		{"same name in another package", docker + `{"Action":"skip","Package":"q","Test":"TestDocker"}`, true, 1,
			"SKIPPED, NOT PROVEN on this machine: no Docker engine (TestDocker)\n", "q TestDocker"},
		{"torn", docker + `{"Action":"sk`, false, 2, "", "line 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "test.json")
			if err := os.WriteFile(path, []byte(c.events), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs strings.Builder
			if code := run(&out, &errs, []string{path}, c.ci); code != c.code {
				t.Errorf("exit code %d, want %d (%s)", code, c.code, errs.String())
			}
			if out.String() != c.out {
				t.Errorf("printed %q, want %q", out.String(), c.out)
			}
			if (c.errs == "") != (errs.Len() == 0) || !strings.Contains(errs.String(), c.errs) {
				t.Errorf("complained %q, want it to say %q", errs.String(), c.errs)
			}
		})
	}
}

func TestRunWithoutFile(t *testing.T) {
	var out, errs strings.Builder
	if code := run(&out, &errs, []string{filepath.Join(t.TempDir(), "none")}, false); code != 2 || errs.Len() == 0 {
		t.Errorf("exit code %d, complained %q", code, errs.String())
	}
}
