package agent

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lockbench/lockbench/internal/clockskew"
)

// Clocks implements Agent.
func (l *Local) Clocks() error { return l.clocks() }

// SkewClock makes the wall clocks of the process and all its descendants show the true time plus offset; 0 undoes it. It
// fails with os.ErrProcessDone if the process has ended.
func (p *Process) SkewClock(offset time.Duration) error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s (pid %d): %w", p.name, p.PID(), os.ErrProcessDone)
	default:
	}
	var err error
	if offset == 0 {
		err = clockskew.Undo(p.PID())
	} else {
		err = clockskew.Set(p.PID(), offset)
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("move the clock of %s by %v: %w", p.name, offset, err)
	select {
	case <-p.exited:
		return errors.Join(err, os.ErrProcessDone)
	default:
		return err
	}
}
