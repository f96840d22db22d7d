package local

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lockbench/lockbench/faults/clocks"
)

// SkewClock implements provision.Process.
func (p *process) SkewClock(offset time.Duration) error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s (pid %d): %w", p.command.Name, p.PID(), os.ErrProcessDone)
	default:
	}
	var err error
	if offset == 0 {
		err = clocks.Undo(p.PID())
	} else {
		err = clocks.Set(p.PID(), offset)
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("move the clock of %s by %v: %w", p.command.Name, offset, err)
	select {
	case <-p.exited:
		return errors.Join(err, os.ErrProcessDone)
	default:
		return err
	}
}
