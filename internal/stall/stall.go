// Package stall notices that the machine did not run this process for a while, as jHiccup does for Java: a goroutine
// sleeps, and looks how much later than it asked it wakes.
package stall

import (
	"context"
	"time"

	"github.com/lockbench/lockbench/internal/monotime"
)

const (
	// period is how long it sleeps. Whatever lasts for least and a period is certain to be noticed.
	period = 5 * time.Millisecond
	// least is the shortest stall that is told.
	least = 5 * time.Millisecond
	// leastStep is the least change of a wall clock that is told. NTP slews a clock by less in a period.
	leastStep = 10 * time.Millisecond
)

// Meter says whom to tell. Times are in nanoseconds of the clock. The functions are called one at a time.
type Meter struct {
	Clock monotime.Clock
	// Stalled is told of a stall that ended at that time.
	Stalled func(end int64, lasted time.Duration)
	// Stepped is told that somebody has set the wall clock by that much; nil: nobody wants to know.
	Stepped func(at int64, by time.Duration)
}

// Run watches until ctx ends.
func (m Meter) Run(ctx context.Context) {
	timer := time.NewTimer(period)
	defer timer.Stop()
	wall, sure := m.wall()
	for {
		asked := m.Clock.Now()
		timer.Reset(period)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		now := m.Clock.Now()
		if late := time.Duration(now-asked) - period; late >= least {
			m.Stalled(now, late)
		}
		if m.Stepped == nil {
			continue
		}
		w, ok := m.wall()
		if by := w - wall; ok && sure && (by >= leastStep || by <= -leastStep) {
			m.Stepped(now, by)
		}
		if ok {
			wall, sure = w, true
		}
	}
}

// wall is how far the wall clock is before the monotonic one. It is not sure of it if it was interrupted.
func (m Meter) wall() (ahead time.Duration, sure bool) {
	begin := m.Clock.Now()
	ns := time.Now().UnixNano()
	return time.Duration(ns - begin), m.Clock.Now()-begin < int64(time.Millisecond)
}
