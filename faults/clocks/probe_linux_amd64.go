package clocks

import (
	"errors"
	"fmt"
	"os/exec"
	"time"
)

func probe() error {
	// It is not read before Start has returned, and so not before exec.
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		return fmt.Errorf("%w: the program to try it with does not start: %w", ErrUnsupported, err)
	}
	err := try(child.Process.Pid)
	killed := child.Process.Kill()
	var ended *exec.ExitError
	if errWait := child.Wait(); !errors.As(errWait, &ended) {
		killed = errors.Join(killed, errWait)
	}
	if err := errors.Join(err, killed); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return nil
}

// try skews a process there and back.
func try(pid int) error {
	const ahead = time.Hour
	if err := set(pid, ahead); err != nil {
		return err
	}
	if offset, patched, err := readOffset(pid); err != nil || !patched || offset != ahead {
		return errors.Join(fmt.Errorf("the shim reads back as %v, patched: %v", offset, patched), err)
	}
	if err := undo(pid); err != nil {
		return err
	}
	if offset, patched, err := readOffset(pid); err != nil || patched {
		return errors.Join(fmt.Errorf("without the shim, it still adds %v", offset), err)
	}
	return nil
}
