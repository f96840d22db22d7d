package local

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/internal/procfs"
)

// settle bounds the wait until signals have had their effect on every process of a family.
const settle = 10 * time.Second

// Suspend implements provision.Process. It sends SIGSTOP to the process, its group and all their descendants:
// PostgreSQL's backends lead sessions of their own.
func (p *process) Suspend() error {
	return p.signalFamily("stop", syscall.SIGSTOP, standsStill)
}

// Continue implements provision.Process.
func (p *process) Continue() error {
	err := p.signalFamily("continue", syscall.SIGCONT, func(m procfs.Process, _ []procfs.Process) bool { return m.State != 'T' })
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Kill implements provision.Process.
func (p *process) Kill() error {
	members, err := p.family()
	if err != nil {
		return err
	}
	if err := p.killGroup(); err != nil {
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
				return fmt.Errorf("kill process %d of %s: %w", m.PID, p.command.Name, err)
			}
		}
		if left == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d processes of %s survive SIGKILL", left, p.command.Name)
		}
		time.Sleep(time.Millisecond) // the kernel announces the end of somebody else's child to nobody
	}
}

// Suspended implements provision.Process.
func (p *process) Suspended() bool {
	now, err := procfs.Read(p.PID())
	return err == nil && now.State == 'T'
}

// Stops implements provision.Process.
func (p *process) Stops() <-chan struct{} { return p.stops }

// watchStops waits for stops until the process ends. WNOWAIT leaves the end for Wait to reap.
func (p *process) watchStops() {
	for {
		var what unix.Siginfo
		err := unix.Waitid(unix.P_PID, p.PID(), &what, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || what.Code != cldStopped {
			return
		}
		select {
		case p.stops <- struct{}{}:
		default:
		}
		// Takes note of the stop, so that the next call waits for another.
		if err := unix.Waitid(unix.P_PID, p.PID(), nil, unix.WSTOPPED|unix.WNOHANG, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// cldStopped is CLD_STOPPED of siginfo_t: the child was stopped by a signal.
const cldStopped = 5

// standsStill reports whether a member of the family does nothing. A process that has called vfork does not stop
// before its child has become another program. It counts as standing still if that child does.
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

// signalFamily sends s to every member of the family until done says of each that it was obeyed.
func (p *process) signalFamily(what string, s syscall.Signal, done func(m procfs.Process, family []procfs.Process) bool) error {
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
				return fmt.Errorf("%s process %d of %s: %w", what, m.PID, p.command.Name, err)
			}
		}
		if left == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s %s: %d of its processes did not obey", what, p.command.Name, left)
		}
	}
}

// family lists the process, those of its group, and the descendants of all of them. It fails with os.ErrProcessDone
// if the process has ended.
func (p *process) family() ([]procfs.Process, error) {
	select {
	case <-p.exited:
		return nil, fmt.Errorf("%s (pid %d): %w", p.command.Name, p.PID(), os.ErrProcessDone)
	default:
	}
	return procfs.Family(p.PID())
}
