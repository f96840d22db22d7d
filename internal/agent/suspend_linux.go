package agent

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// settle bounds the wait until signals have had their effect on every process of a family.
const settle = 10 * time.Second

// Suspend stops the process, its group and all their descendants (PostgreSQL's backends lead sessions of their own) with
// SIGSTOP, and returns once all of them stand still.
func (p *Process) Suspend() error {
	return p.signalFamily("stop", syscall.SIGSTOP, standsStill)
}

// Continue undoes Suspend. A process that has ended meanwhile is no error.
func (p *Process) Continue() error {
	err := p.signalFamily("continue", syscall.SIGCONT, func(m member, _ map[int]member) bool { return m.state != 'T' })
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// KillFamily ends with SIGKILL whatever Suspend would stop, and waits until all of it is gone.
func (p *Process) KillFamily() error {
	members, err := p.family()
	if err != nil {
		return err
	}
	if err := p.Kill(); err != nil {
		return err
	}
	deadline := time.Now().Add(settle)
	for {
		left := 0
		for pid, began := range members {
			m, err := readMember(pid)
			if err != nil || m.began != began.began || m.state == 'Z' {
				continue // gone, or somebody else by now
			}
			left++
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill process %d of %s: %w", pid, p.name, err)
			}
		}
		if left == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d processes of %s survive SIGKILL", left, p.name)
		}
		time.Sleep(time.Millisecond) // the kernel announces the end of somebody else's child to nobody
	}
}

// Suspended reports whether the process itself stands still.
func (p *Process) Suspended() bool {
	m, err := readMember(p.PID())
	return err == nil && m.state == 'T'
}

// standsStill reports whether a member of the family does nothing. One that has called vfork is not stopped before its child
// has become another program; so it stands still if that child does.
func standsStill(m member, family map[int]member) bool {
	if m.state != 'D' {
		return m.state == 'T' || m.state == 't'
	}
	for _, child := range family {
		if child.parent == m.pid && child.state == 'T' {
			return true
		}
	}
	return false
}

// signalFamily sends s to every member of the family until each is in a state that will do.
func (p *Process) signalFamily(what string, s syscall.Signal, done func(m member, family map[int]member) bool) error {
	for deadline := time.Now().Add(settle); ; time.Sleep(time.Millisecond) { // no event tells a stop of a grandchild
		members, err := p.family()
		if err != nil {
			return err
		}
		left := 0
		for pid, m := range members {
			if m.state == 'Z' || done(m, members) {
				continue
			}
			left++
			if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("%s process %d of %s: %w", what, pid, p.name, err)
			}
		}
		if left == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s %s: %d of its processes do not obey", what, p.name, left)
		}
	}
}

// member is what /proc/PID/stat says of a process (proc_pid_stat(5)).
type member struct {
	pid           int
	state         byte
	parent, group int
	began         string // in clock ticks since the boot: tells processes of one number apart
}

func readMember(pid int) (member, error) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return member{}, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // a name may hold parentheses itself
	if len(fields) < 20 {
		return member{}, fmt.Errorf("/proc/%d/stat has %d fields after the name", pid, len(fields))
	}
	m := member{pid: pid, state: fields[0][0], began: string(fields[19])}
	if m.parent, err = strconv.Atoi(string(fields[1])); err != nil {
		return member{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	if m.group, err = strconv.Atoi(string(fields[2])); err != nil {
		return member{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	return m, nil
}

// family lists the process, those of its group, and the descendants of all of them. It fails with os.ErrProcessDone if
// the process has ended.
func (p *Process) family() (map[int]member, error) {
	select {
	case <-p.exited:
		return nil, fmt.Errorf("%s (pid %d): %w", p.name, p.PID(), os.ErrProcessDone)
	default:
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	everybody := map[int]member{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if m, err := readMember(pid); err == nil { // else it is gone
			everybody[pid] = m
		}
	}
	found := map[int]member{}
	for grown := true; grown; {
		grown = false
		for pid, m := range everybody {
			_, known := found[pid]
			_, child := found[m.parent]
			if !known && (pid == p.PID() || m.group == p.PID() || child) {
				found[pid], grown = m, true
			}
		}
	}
	return found, nil
}
