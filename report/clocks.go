package report

import (
	"strings"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
)

// clockFaults is how the names of all faults begin that move wall clocks.
const clockFaults = "clock-"

// Clocks is what a test says of moved wall clocks. The zero value is nothing measured.
type Clocks struct {
	// Reason says why there is nothing; empty: there is.
	Reason string
	// Phases has one entry for each phase in which clocks were moved, in order.
	Phases []ClockPhase
}

// ClockPhase is one phase in which clocks were moved.
type ClockPhase struct {
	Phase string
	// Moved are the faults that moved them, as the history calls them.
	Moved []string
	// Used is how many locks somebody held between the first move and the end of the phase, Lost to how many of them a
	// second holder came meanwhile.
	Used, Lost int
}

// noClocks is why a test says nothing of moved clocks.
const noClocks = "no clock was moved"

// clocks measures a test, whose phases these are.
func clocks(ops []history.Op, phases []PhaseMeasure, all []checker.Hold) Clocks {
	c := Clocks{Reason: noClocks}
	locks := byLock(all)
	for i := range phases {
		p := &phases[i]
		measured := ClockPhase{Phase: p.Name}
		for _, f := range p.Faults {
			if strings.HasPrefix(f, clockFaults) {
				measured.Moved = append(measured.Moved, strings.TrimPrefix(f, clockFaults))
			}
		}
		from, ok := firstMove(ops, p)
		if !ok {
			continue
		}
		for _, lock := range locks {
			most := 0
			for _, s := range stretches(lock, from, p.End) {
				most = max(most, s.holders)
			}
			measured.Used += min(most, 1)
			measured.Lost += min(max(most-1, 0), 1)
		}
		c.Phases, c.Reason = append(c.Phases, measured), ""
	}
	return c
}

// firstMove is when the first clock of the phase had been moved; !ok: none was.
func firstMove(ops []history.Op, p *PhaseMeasure) (at int64, ok bool) {
	for i := range ops {
		op := &ops[i]
		if op.Process == history.NemesisProcess && op.Type == history.OK && strings.HasPrefix(op.F, clockFaults) && op.Time >= p.Begin && op.Time < p.End {
			return op.Time, true
		}
	}
	return 0, false
}

// merge adds what another test of the same driver measured.
func (c *Clocks) merge(o Clocks) {
	if len(o.Phases) == 0 {
		if len(c.Phases) == 0 && c.Reason == "" {
			c.Reason = o.Reason
		}
		return
	}
	c.Reason = ""
next:
	for _, p := range o.Phases {
		for i := range c.Phases {
			if mine := &c.Phases[i]; mine.Phase == p.Phase {
				mine.Used += p.Used
				mine.Lost += p.Lost
				continue next
			}
		}
		c.Phases = append(c.Phases, p)
	}
}

// total sums the phases.
func (c *Clocks) total() (used, lost int) {
	for _, p := range c.Phases {
		used += p.Used
		lost += p.Lost
	}
	return used, lost
}
