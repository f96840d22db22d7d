package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// JanitorCommand is the hidden subcommand under which the program runs as a janitor.
const JanitorCommand = "internal-janitor"

// janitor is a child that holds a pipe from this process. At its end of file, however this process died, it
// kills every process that works below the scratch directory and removes the directory.
type janitor struct {
	pipe io.Closer
	cmd  *exec.Cmd
}

func startJanitor(scratch string, run func(func() error) error) (*janitor, error) {
	self, err := Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program to run as janitor: %w", err)
	}
	cmd := exec.Command(self, JanitorCommand, scratch)
	cmd.Dir, cmd.Stderr = "/", os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make the janitor's pipe: %w", err)
	}
	if err := run(cmd.Start); err != nil {
		return nil, fmt.Errorf("start the janitor: %w", err)
	}
	return &janitor{pipe: pipe, cmd: cmd}, nil
}

func (j *janitor) close() error {
	if err := j.pipe.Close(); err != nil {
		return fmt.Errorf("close the janitor's pipe: %w", err)
	}
	if err := j.cmd.Wait(); err != nil {
		return fmt.Errorf("the janitor failed, processes or files may be left behind: %w", err)
	}
	return nil
}

// RunJanitor is the janitor's whole life: wait for the end of stdin, then clean up.
func RunJanitor(stdin io.Reader, scratch string) error {
	// Whatever ends the run must not end the janitor first.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE)
	if _, err := io.Copy(io.Discard, stdin); err != nil {
		return fmt.Errorf("wait for the end of the run: %w", err)
	}
	return sweep(scratch)
}

// sweep kills the run's processes until none is left, then removes the scratch directory.
func sweep(scratch string) error {
	if !strings.HasPrefix(filepath.Base(scratch), "lockbench-") {
		return fmt.Errorf("refuse to remove %q: it is no scratch directory", scratch)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		pids, err := workingBelow(scratch)
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v in %s survive SIGKILL", pids, scratch)
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill process %d in %s: %w", pid, scratch, err)
			}
		}
		time.Sleep(5 * time.Millisecond) // the kernel announces the end of somebody else's child to nobody
	}
	if err := os.RemoveAll(scratch); err != nil {
		return fmt.Errorf("remove the scratch directory: %w", err)
	}
	return nil
}

// workingBelow lists the processes whose working directory lies in dir: that is every process of the run,
// since children inherit it and none of the servers leaves it, and it needs no list that a crash could tear.
// Whoever has a terminal is left alone: a person may be looking, and the run's processes have none.
func workingBelow(dir string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if !worksBelow(e.Name(), dir) {
			continue
		}
		if stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat")); err == nil && deadOrOnTerminal(stat) {
			continue
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// worksBelow reports whether a process works in dir. In a container root may not ask that of a process of another
// user; such a server names the scratch directory in its command line, which anybody may read.
func worksBelow(pid, dir string) bool {
	cwd, err := os.Readlink(filepath.Join("/proc", pid, "cwd"))
	if err == nil {
		cwd = strings.TrimSuffix(cwd, " (deleted)")
		return cwd == dir || strings.HasPrefix(cwd, dir+"/")
	}
	if !errors.Is(err, os.ErrPermission) {
		return false // gone
	}
	cmdline, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	return err == nil && bytes.Contains(cmdline, []byte(filepath.Base(dir)))
}

// deadOrOnTerminal reads /proc/PID/stat: the state is field 3, the terminal field 7 (proc_pid_stat(5)).
func deadOrOnTerminal(stat []byte) bool {
	name := bytes.LastIndexByte(stat, ')') // which may hold parentheses itself
	if name < 0 {
		return false
	}
	fields := bytes.Fields(stat[name+1:])
	return len(fields) > 4 && (fields[0][0] == 'Z' || string(fields[4]) != "0")
}
