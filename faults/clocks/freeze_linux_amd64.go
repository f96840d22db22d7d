package clocks

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/lockbench/lockbench/internal/procfs"
)

// patience bounds the wait until a process stands still where it can be patched, and until a family is skewed.
const patience = 20 * time.Second

// poll is how often a process is looked at that was told to stop: nobody but its parent is told when it does.
const poll = 50 * time.Microsecond

// freeze stops all threads of a process, calls try with where they stand, and lets them go on; again until try is
// done. A process that was stopped before remains so.
func freeze(pid int, try func([]position) (done bool, err error)) error {
	alreadyStopped, err := stopped(pid)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); ; {
		done, err := freezeOnce(pid, alreadyStopped, deadline, try)
		if done || err != nil {
			return err
		}
		if alreadyStopped {
			return fmt.Errorf("process %d was stopped within the first instruction of a function that tells the time: let it go on, and set the offset again", pid)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("process %d is within the first instructions of a function that tells the time whenever it is stopped", pid)
		}
		time.Sleep(poll)
	}
}

func freezeOnce(pid int, alreadyStopped bool, deadline time.Time, try func([]position) (bool, error)) (done bool, err error) {
	if !alreadyStopped {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			return false, fmt.Errorf("stop process %d: %w", pid, err)
		}
		defer func() {
			if goOn := syscall.Kill(pid, syscall.SIGCONT); goOn != nil && !errors.Is(goOn, syscall.ESRCH) {
				err = errors.Join(err, fmt.Errorf("let process %d go on: %w", pid, goOn))
			}
		}()
	}
	for {
		positions, err := standing(pid)
		if err != nil {
			return false, err
		}
		if positions != nil {
			return try(positions)
		}
		if time.Now().After(deadline) {
			return false, fmt.Errorf("process %d does not stop", pid)
		}
		time.Sleep(poll)
	}
}

// stopped tells whether a process was stopped, or will be once it is out of a call of the kernel that no signal ends.
func stopped(pid int) (bool, error) {
	// First what is pending: the kernel takes the signal and marks the thread that stops in one step, so that a stop
	// between the two looks is seen by the second.
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return false, fmt.Errorf("the signals of process %d: %w", pid, err)
	}
	_, rest, _ := bytes.Cut(status, []byte("\nShdPnd:"))
	mask, _, _ := bytes.Cut(rest, []byte("\n"))
	pending, err := strconv.ParseUint(string(bytes.TrimSpace(mask)), 16, 64)
	if err != nil {
		return false, fmt.Errorf("the signals of process %d: %w", pid, err)
	}
	if pending&(1<<(syscall.SIGSTOP-1)) != 0 {
		return true, nil
	}
	live, err := threads(pid)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(live, func(t procfs.Process) bool { return t.State == 'T' }), nil
}

// threads lists the threads of a process that have not ended; there is at least one.
func threads(pid int) ([]procfs.Process, error) {
	all, err := procfs.Threads(pid)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	var live []procfs.Process
	for _, t := range all {
		if !t.Ended() {
			live = append(live, t)
		}
	}
	if len(live) == 0 {
		return nil, fmt.Errorf("process %d: %w", pid, os.ErrProcessDone)
	}
	return live, nil
}

// standing tells where the threads of a process that was told to stop stand; nil while one of them runs.
func standing(pid int) ([]position, error) {
	live, err := threads(pid)
	if err != nil {
		return nil, err
	}
	// Once one has stopped, or has nobody beside it to do so, the kernel stops whoever leaves it. So one that is
	// asleep in a call that no signal ends need not be waited for: in vfork it may last as long as the child is
	// stopped.
	willStop := len(live) == 1 || slices.ContainsFunc(live, procfs.Process.Stopped)
	for _, t := range live {
		if !t.Stopped() && (t.State != 'D' || !willStop) {
			return nil, nil
		}
	}
	var positions []position
	for _, t := range live {
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "task", strconv.Itoa(t.PID), "syscall"))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			return nil, nil // it was killed meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("where a thread of process %d stands: %w", pid, err)
		}
		p, ok, err := where(text)
		if err != nil {
			return nil, fmt.Errorf("where a thread of process %d stands: %w", pid, err)
		}
		if !ok {
			return nil, nil
		}
		positions = append(positions, p)
	}
	return positions, nil
}
