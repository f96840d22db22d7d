// Package procfs reads from /proc what the kernel says of processes and threads (proc_pid_stat(5)).
package procfs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Process is a process, or a thread of one.
type Process struct {
	// PID is its number; of a thread that of the thread.
	PID int
	// State is one letter: R running, S and D asleep, T stopped, t stopped by a debugger, Z and X ended.
	State byte
	// Parent and Group are the numbers of its parent and of its process group.
	Parent, Group int
	// Exiting says that it is about to end, and may have no memory any more.
	Exiting bool
	// Began is when it was started, in clock ticks since the boot: it tells processes of one number apart.
	Began string
}

// Ended reports whether it runs no more and only waits to be noticed by its parent.
func (p Process) Ended() bool { return p.State == 'Z' || p.State == 'X' }

// Stopped reports whether it stands still, by a signal or by a debugger.
func (p Process) Stopped() bool { return p.State == 'T' || p.State == 't' }

// Read describes one process. The error is fs.ErrNotExist or ESRCH if there is none.
func Read(pid int) (Process, error) {
	return read(pid, filepath.Join("/proc", strconv.Itoa(pid), "stat"))
}

// Threads describes all threads of a process, the first one included.
func Threads(pid int) ([]Process, error) {
	return list(filepath.Join("/proc", strconv.Itoa(pid), "task"))
}

// Family describes a process, those of the group that it leads, and the descendants of all of them: the process
// first, and whatever it is that still exists.
func Family(root int) ([]Process, error) {
	everybody, err := list("/proc")
	if err != nil {
		return nil, err
	}
	var family []Process
	found := map[int]bool{}
	add := func(belongs func(Process) bool) (grown bool) {
		for _, p := range everybody {
			if !found[p.PID] && belongs(p) {
				family, grown = append(family, p), true
				found[p.PID] = true
			}
		}
		return grown
	}
	add(func(p Process) bool { return p.PID == root })
	add(func(p Process) bool { return p.Group == root })
	for add(func(p Process) bool { return found[p.Parent] }) {
		continue // a child can have a lower number than its parent, so that one pass may miss it
	}
	return family, nil
}

// list describes all processes, or threads, that have a directory in dir. Those that end meanwhile are left out.
func list(dir string) ([]Process, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var all []Process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, err := read(pid, filepath.Join(dir, name, "stat")); err == nil { // else it is gone
			all = append(all, p)
		}
	}
	return all, nil
}

func read(pid int, path string) (Process, error) {
	stat, err := os.ReadFile(path)
	if err != nil {
		return Process{}, err
	}
	p, err := parse(stat)
	if err != nil {
		return Process{}, fmt.Errorf("%s: %w", path, err)
	}
	p.PID = pid
	return p, nil
}

func parse(stat []byte) (Process, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // a name may hold parentheses itself
	if len(fields) < 20 {
		return Process{}, fmt.Errorf("%d fields after the name, want 20", len(fields))
	}
	flags, err := strconv.ParseUint(string(fields[6]), 10, 64)
	if err != nil {
		return Process{}, fmt.Errorf("flags: %w", err)
	}
	const exiting = 4 // PF_EXITING of the kernel
	p := Process{State: fields[0][0], Exiting: flags&exiting != 0, Began: string(fields[19])}
	if p.Parent, err = strconv.Atoi(string(fields[1])); err != nil {
		return Process{}, fmt.Errorf("number of the parent: %w", err)
	}
	if p.Group, err = strconv.Atoi(string(fields[2])); err != nil {
		return Process{}, fmt.Errorf("number of the group: %w", err)
	}
	return p, nil
}
