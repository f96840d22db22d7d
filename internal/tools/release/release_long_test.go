//go:build long

package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

// TestReleaseOfTheCommit makes what a release has for Linux, of the commit that is checked out: two builds are the same,
// and the binary of the archive says which commit it is, with a bill of what go version -m lists.
func TestReleaseOfTheCommit(t *testing.T) {
	src, err := checkOut(t.Context(), "../../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must.Succeed(t, src.remove()) })
	common, err := src.documents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	names, err := src.platform(t.Context(), dir, "linux/amd64", common)
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, filepath.Join(dir, names[0]))
	for _, name := range []string{"lockbench", "LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "man/lockbench-run.1", "completions/lockbench.bash"} {
		if len(files[name]) == 0 {
			t.Errorf("the archive lacks %s", name)
		}
	}
	program := filepath.Join(dir, "lockbench")
	must.Succeed(t, os.WriteFile(program, files["lockbench"], 0o700))
	commit, err := output(t.Context(), "../../..", nil, "git", "rev-parse", "HEAD")
	must.Succeed(t, err)
	if said, err := exec.Command(program, "version", "--json").Output(); err != nil || !strings.Contains(string(said), commit) {
		t.Errorf("%v: %s", err, said)
	}
	var bom struct{ Components []struct{ Purl string } }
	must.Succeed(t, json.Unmarshal(files["lockbench.cdx.json"], &bom))
	linked, err := exec.Command("go", "version", "-m", program).Output()
	must.Succeed(t, err)
	if got, want := len(bom.Components), strings.Count(string(linked), "\n\tdep\t")+1; got != want { // and Go itself
		t.Errorf("%d components, want %d", got, want)
	}
}

// unpack reads an archive; names are without its first folder.
func unpack(t *testing.T, file string) map[string][]byte {
	t.Helper()
	f, err := os.Open(file)
	must.Succeed(t, err)
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	must.Succeed(t, err)
	all := map[string][]byte{}
	for archive := tar.NewReader(zipped); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		must.Succeed(t, err)
		_, name, _ := strings.Cut(path.Clean(h.Name), "/")
		all[name], err = io.ReadAll(archive)
		must.Succeed(t, err)
	}
}
