package measure

import (
	"strings"
)

// movesClocks is the trait of the faults that move wall clocks.
const movesClocks = "moves-clocks"

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
	// Moved are the faults that moved them ("jump: all").
	Moved []string
	// Used is how many locks somebody held between the first move and the end of the phase, Lost to how many of them a
	// second holder came meanwhile.
	Used, Lost int
}

// noClocks is why a test says nothing of moved clocks.
const noClocks = "no clock was moved"

// clocksMoved begins to count the holders of each lock anew, when the first clock of a phase was moved.
func (p *pass) clocksMoved(at int64) {
	if p.phase.moved {
		return
	}
	p.flush(at)
	p.phase.moved, p.phase.movedAt = true, at
	for _, l := range p.locks {
		l.most = 0
	}
}

// endClocks counts the locks that were held in the phase since a clock was moved, and those that two held.
func (p *pass) endClocks(w *phaseWatch) {
	if w.moved = w.moved && w.movedAt < w.End; !w.moved {
		return
	}
	w.clocks.Phase = w.Name
	for i := range w.Faults {
		if f := &w.Faults[i]; p.clockFaults[f.Name] {
			w.clocks.Moved = append(w.clocks.Moved, strings.TrimPrefix(f.String(), "clock-"))
		}
	}
	for _, l := range p.locks {
		if l.most > 0 {
			w.clocks.Used++
		}
		if l.most > 1 {
			w.clocks.Lost++
		}
	}
}

func finishClocks(phases []*phaseWatch) Clocks {
	c := Clocks{Reason: noClocks}
	for _, w := range phases {
		if w.moved {
			c.Phases, c.Reason = append(c.Phases, w.clocks), ""
		}
	}
	return c
}

// Merge adds what another test of the same driver measured.
func (c *Clocks) Merge(o Clocks) {
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

// Total sums the phases.
func (c *Clocks) Total() (used, lost int) {
	for _, p := range c.Phases {
		used += p.Used
		lost += p.Lost
	}
	return used, lost
}
