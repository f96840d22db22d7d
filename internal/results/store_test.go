package results

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

var started = time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("east", 3600))

func TestCreateNeverReusesADirectory(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a", "b")
	for _, want := range []string{"20260304T040607Z-partition", "20260304T040607Z-partition-2", "20260304T040607Z-partition-3"} {
		d, err := Create(out, "partition", started)
		if err != nil {
			t.Fatal(err)
		}
		if got := filepath.Base(string(d)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	d, err := Create(out, "../../my scenario.yaml", started)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(string(d)) != out {
		t.Errorf("%s is not below %s", d, out)
	}
}

func TestCreateBelowAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must.Succeed(t, os.WriteFile(file, nil, 0o600))
	_, err := Create(filepath.Join(file, "out"), "partition", started)
	wantError(t, err, file, "--out")
}

func TestWriteLeavesTheOldFileOnFailure(t *testing.T) {
	d := create(t)
	put := func(text string, err error) error {
		return d.Write(SummaryFile, func(w io.Writer) error {
			_, werr := io.WriteString(w, text)
			return errors.Join(werr, err)
		})
	}
	must.Succeed(t, put("old", nil))
	wantError(t, put("half", syscall.ENOSPC), SummaryFile, "make room")
	if b, err := os.ReadFile(d.File(SummaryFile)); err != nil || string(b) != "old" {
		t.Errorf("%q, %v", b, err)
	}
	entries, err := os.ReadDir(string(d))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s is left behind", e.Name())
		}
	}
}

func create(t *testing.T) Dir {
	t.Helper()
	d, err := Create(t.TempDir(), "partition", started)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wantError wants one line that says all of it.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q does not say %q", err, p)
		}
	}
}
