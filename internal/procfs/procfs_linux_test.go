package procfs

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

func TestParse(t *testing.T) {
	const rest = " 98 0 0 0 0 0 0 0 20 0 1 0 123456 3960832"
	const after = " 0 -1 4194560" + rest
	for _, c := range []struct {
		stat string
		want Process
		ok   bool
	}{
		{"7 (sh) S 3 5 7" + after, Process{State: 'S', Parent: 3, Group: 5, Began: "123456"}, true},
		{"7 (a) Z 9 (b) T -1 5 7" + after, Process{State: 'T', Parent: -1, Group: 5, Began: "123456"}, true},
		{"7 (sh) R 3 5 7 0 -1 4194564" + rest, Process{State: 'R', Parent: 3, Group: 5, Exiting: true, Began: "123456"}, true},
		{"7 (sh) R 3 5 7 0 -1 x" + rest, Process{}, false},
		{"7 (sh) S x 5 7" + after, Process{}, false},
		{"7 (sh) S 3 x 7" + after, Process{}, false},
		{"7 (sh) S 3 5 7", Process{}, false},
		{"", Process{}, false},
	} {
		if got, err := parse([]byte(c.stat)); (err == nil) != c.ok || c.ok && got != c.want {
			t.Errorf("%q: %+v, %v; want %+v", c.stat, got, err, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	self, err := Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if self.PID != os.Getpid() || self.Parent != os.Getppid() || self.Group != syscall.Getpgrp() || self.Ended() || self.Exiting || self.Stopped() {
		t.Errorf("this process is %+v", self)
	}
	threads, err := Threads(os.Getpid())
	if err != nil || len(threads) < 2 { // a program of Go has a thread besides the first
		t.Errorf("threads %v, %v", threads, err)
	}
	if _, err := Read(1 << 30); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a process that is not there: %v", err)
	}
}

func TestFamily(t *testing.T) {
	// The second child leads a session, and so a group, of its own.
	c := exec.Command("/bin/sh", "-c", `sleep 600 & echo $!; setsid sleep 601 & echo $!; wait`)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	must.Succeed(t, c.Start())
	want := map[int]bool{c.Process.Pid: true}
	for lines := bufio.NewScanner(out); len(want) < 3 && lines.Scan(); {
		pid, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil {
			t.Fatal(err)
		}
		want[pid] = true
	}
	family, err := Family(c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if len(family) != len(want) || family[0].PID != c.Process.Pid {
		t.Errorf("family %+v, want %v", family, want)
	}
	for _, p := range family {
		if !want[p.PID] {
			t.Errorf("%+v is a stranger", p)
		}
	}
	must.Succeed(t, c.Process.Kill())
	for _, p := range family[1:] { // the first is reaped by Wait
		if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	var ended *exec.ExitError
	if err := c.Wait(); !errors.As(err, &ended) {
		t.Error(err)
	}
	left, err := Family(c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range left {
		if p.PID == c.Process.Pid {
			t.Errorf("%+v is no more", p)
		}
	}
}
