// Package stranger lets tests act as another user of the machine.
package stranger

import (
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// name is the user that every Linux system has for what belongs to nobody.
const name = "nobody"

// Command is a program that runs as another user, in the root directory. The test skips loudly if it cannot be run so.
func Command(t testing.TB, path string, args ...string) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOT PROVEN: only root can run a program as another user")
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Skipf("SKIPPED, NOT PROVEN: %v", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return cmd
}

// Can reports whether another user can run that script of the shell to its end, and what it said.
func Can(t testing.TB, script string, args ...string) (ok bool, said string) {
	t.Helper()
	out, err := Command(t, "/bin/sh", append([]string{"-c", script, "stranger"}, args...)...).CombinedOutput()
	return err == nil, string(out)
}

// Self is a copy of the test program that another user can run.
func Self(t testing.TB) string {
	t.Helper()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	dir, err := os.MkdirTemp("", "stranger-") // that of t lies in a directory that only this user can enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "self")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, self); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
