package agent

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/lockbench/lockbench/internal/procfs"
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
	err := p.signalFamily("continue", syscall.SIGCONT, func(m procfs.Process, _ []procfs.Process) bool { return m.State != 'T' })
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
		for _, m := range members {
			now, err := procfs.Read(m.PID)
			if err != nil || now.Began != m.Began || now.Ended() {
				continue // gone, or somebody else by now
			}
			left++
			if err := syscall.Kill(m.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill process %d of %s: %w", m.PID, p.name, err)
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
	now, err := procfs.Read(p.PID())
	return err == nil && now.State == 'T'
}

// standsStill reports whether a member of the family does nothing. One that has called vfork is not stopped before its child
// has become another program; so it stands still if that child does.
func standsStill(m procfs.Process, family []procfs.Process) bool {
	if m.State != 'D' {
		return m.Stopped()
	}
	for _, child := range family {
		if child.Parent == m.PID && child.State == 'T' {
			return true
		}
	}
	return false
}

// signalFamily sends s to every member of the family until each is in a state that will do.
func (p *Process) signalFamily(what string, s syscall.Signal, done func(m procfs.Process, family []procfs.Process) bool) error {
	for deadline := time.Now().Add(settle); ; time.Sleep(time.Millisecond) { // no event tells a stop of a grandchild
		members, err := p.family()
		if err != nil {
			return err
		}
		left := 0
		for _, m := range members {
			if m.Ended() || done(m, members) {
				continue
			}
			left++
			if err := syscall.Kill(m.PID, s); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("%s process %d of %s: %w", what, m.PID, p.name, err)
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

// family lists the process, those of its group, and the descendants of all of them. It fails with os.ErrProcessDone if
// the process has ended.
func (p *Process) family() ([]procfs.Process, error) {
	select {
	case <-p.exited:
		return nil, fmt.Errorf("%s (pid %d): %w", p.name, p.PID(), os.ErrProcessDone)
	default:
	}
	return procfs.Family(p.PID())
}
