package clocks

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lockbench/lockbench/internal/procfs"
)

func set(pid int, offset time.Duration) error {
	if err := everyone(pid, func(pid int) (bool, error) { return setOne(pid, offset) }); err != nil {
		return err
	}
	if p, err := procfs.Read(pid); err != nil || ends(p) {
		return fmt.Errorf("process %d: %w", pid, os.ErrProcessDone)
	}
	return nil
}

func undo(pid int) error { return everyone(pid, undoOne) }

func readOffset(pid int) (offset time.Duration, patched bool, err error) {
	t, err := open(pid)
	if errors.Is(err, errUnsettled) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	if t.patched {
		offset = t.offset()
	}
	return offset, t.patched, t.close()
}

// everyone calls change for the family of a process until it has nothing to change. Whoever is born while his parent
// is still to be changed is found by the next round, which begins when all that were found have been changed.
func everyone(root int, change func(pid int) (changed bool, err error)) error {
	for deadline := time.Now().Add(patience); ; {
		family, err := procfs.Family(root)
		if err != nil {
			return err
		}
		for _, p := range family {
			if p.PID == os.Getpid() {
				return fmt.Errorf("process %d is this process or an ancestor of it, which cannot stop itself to be skewed", root)
			}
		}
		again := false
		for _, p := range family {
			if ends(p) {
				continue
			}
			changed, err := asOwner(p.PID, change)
			if now, errNow := procfs.Read(p.PID); errNow != nil || ends(now) || now.Began != p.Began {
				continue // it ended meanwhile, whatever that did to the change
			}
			if err != nil {
				return err
			}
			again = again || changed
		}
		if !again {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("process %d has new descendants faster than their clocks can be changed", root)
		}
	}
}

// ends tells whether a process has come to its end, where it reads no clock any more.
func ends(p procfs.Process) bool { return p.Ended() || p.Exiting }

func setOne(pid int, offset time.Duration) (changed bool, err error) {
	t, err := open(pid)
	switch {
	case errors.Is(err, errUnsettled): // it is settled once the process stands still
	case err != nil:
		return false, err
	default:
		defer func() { err = errors.Join(err, t.close()) }()
		if t.complete {
			if t.offset() == offset {
				return false, nil
			}
			return true, t.setOffset(offset)
		}
	}
	return true, patch(pid, func(t *target) error { return t.redirect(offset) })
}

func undoOne(pid int) (changed bool, err error) {
	t, err := open(pid)
	if errors.Is(err, errUnsettled) {
		return false, nil // a new program has just replaced the one that was skewed
	}
	if err != nil {
		return false, err
	}
	patched := t.patched
	if err := t.close(); err != nil || !patched {
		return false, err
	}
	return true, patch(pid, (*target).restore)
}

// patch calls write when the threads of a process stand where that does no harm.
func patch(pid int, write func(*target) error) error {
	return freeze(pid, func(threads []position) (done bool, err error) {
		t, err := open(pid)
		if err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, t.close()) }()
		if !t.safe(threads) {
			return false, nil
		}
		return true, write(t)
	})
}
