package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

// TestFilesThatAreNone: whatever a path names, it is read within a bound, or refused in one line.
func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.yaml")
	must.Succeed(t, syscall.Mkfifo(pipe, 0o600))
	huge := filepath.Join(dir, "huge.yaml")
	must.Succeed(t, os.WriteFile(huge, nil, 0o600))
	must.Succeed(t, os.Truncate(huge, 1<<40))
	link := filepath.Join(dir, "link.yaml")
	must.Succeed(t, os.Symlink("/dev/zero", link))
	run := filepath.Join(dir, "run")
	must.Succeed(t, os.Mkdir(run, 0o700))
	must.Succeed(t, os.WriteFile(filepath.Join(run, "run.json"), nil, 0o600))
	must.Succeed(t, os.Truncate(filepath.Join(run, "run.json"), 1<<40))
	large := filepath.Join(dir, "large.yaml")
	must.Succeed(t, os.WriteFile(large, bytes.Repeat([]byte("#"), 64<<10+1), 0o600))
	for _, c := range []struct {
		args string
		want string
	}{
		{"run --scenario /dev/zero", "/dev/zero is no regular file"},
		{"run --scenario " + link, "is no regular file"},
		{"run --scenario " + pipe, "is no regular file"},
		{"run --scenario " + dir + "/", "is no regular file"},
		{"run --scenario " + huge, "is too large: at most 64 KiB are read"},
		{"run --scenario " + large, "is too large: at most 64 KiB are read"},
		{"run --schedule /dev/zero", "/dev/zero is no regular file"},
		{"run --schedule " + pipe, "is no regular file"},
		{"run --schedule " + dir, "is no regular file"},
		{"run --schedule " + huge, "is too large: at most 4096 KiB are read"},
		{"check /dev/zero", "/dev/zero is not a regular file"},
		{"check " + huge, "line 1"},
		{"export /dev/zero", "/dev/zero is not a regular file"},
		{"export " + pipe, "is not a regular file"},
		{"check " + run, "run.json is too large: at most 1048576 KiB are read"},
		{"report " + run, "run.json is too large: at most 1048576 KiB are read"},
		{"report /dev/zero", "/dev/zero"},
		{"report " + pipe, "pipe.yaml"},
	} {
		t.Run(strings.ReplaceAll(strings.ReplaceAll(c.args, dir, ""), "/", "|"), func(t *testing.T) {
			var out, said bytes.Buffer
			if code := program(t.Context(), nil, &out, &said, strings.Fields(c.args)); code != exitUsage {
				t.Errorf("exit code %d, want %d", code, exitUsage)
			}
			if out.Len() > 0 || strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), c.want) {
				t.Errorf("it says %q, want %q", &said, c.want)
			}
		})
	}
}
