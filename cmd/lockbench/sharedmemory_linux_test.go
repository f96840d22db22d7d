package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
)

// segments lists the System V segments that a process made.
func segments(t *testing.T, pid int) (ids []string) {
	t.Helper()
	b, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] == fmt.Sprint(pid) { // key, id, mode, size, creator
			ids = append(ids, fields[1])
		}
	}
	return ids
}

// TestSIGKILLWhileADatabaseIsMade: initdb starts servers of its own, whose shared memory is not left behind either.
func TestSIGKILLWhileADatabaseIsMade(t *testing.T) {
	_, err := servers.Postgres{}.Detect(t.Context(), local.Programs{})
	testenv.NeedServer(t, err)
	for n := range 2 { // it starts two that say who they are
		p := lockbench(t)
		must.Succeed(t, os.Chmod(filepath.Dir(p.tmp), 0o711)) // for the user of the database
		p.Args = append(p.Args, "run", "--scenario", "partition", "--driver", "postgres-row", "--out", p.out)
		must.Succeed(t, p.Start())
		made := 0 // by this process of the n-th server
		seen := map[int]bool{}
		must.Eventually(t, "a server of initdb has shared memory", func() bool {
			notes, _ := filepath.Glob(filepath.Join(p.tmp, "lockbench-*", "*", "postmaster.pid"))
			for _, path := range notes {
				var pid int
				b, _ := os.ReadFile(path)
				if _, err := fmt.Sscan(string(b), &pid); err == nil && pid < 0 && len(segments(t, -pid)) > 0 {
					made, seen[pid] = -pid, true
				}
			}
			return len(seen) > n
		})
		must.Succeed(t, p.Process.Signal(syscall.SIGSTOP)) // so that its end and its child's are not in a race with the look
		maps, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", made))
		must.Succeed(t, p.Process.Signal(syscall.SIGKILL))
		p.exitCode()
		p.nothingLeft()
		if left := segments(t, made); len(left) > 0 {
			t.Errorf("segments %v of process %d are left", left, made)
		}
		for line := range strings.Lines(string(maps)) {
			if i := strings.Index(line, "/dev/shm/"); i >= 0 {
				if _, err := os.Stat(strings.TrimSpace(line[i:])); err == nil {
					t.Errorf("%s is left", strings.TrimSpace(line[i:]))
				}
			}
		}
	}
}
