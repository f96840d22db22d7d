package report

import (
	"github.com/lockbench/lockbench/checker"
)

// Leadership is what a test says of who led: whoever held the lock. A leader that stands still or is cut off goes on to
// lead, until it gives the lock up or dies. The zero value is nothing measured.
type Leadership struct {
	// Reason says why nothing was measured; empty: it was.
	Reason string
	// Leaders is how many grants there were.
	Leaders int
	// Nobody is the longest time, from the first grant to the end of the last phase, in which nobody held a lock.
	Nobody Span
	// Both is the longest time in which there were two. How often that was, the verdict counts as overlaps.
	Both Span
	// Successions has one entry for each phase with a fault, in order.
	Successions []Succession
}

// Succession is how long it took, from when a fault was in place, until somebody else led.
type Succession struct {
	Phase string
	After Span
}

// leadership measures a test, whose phases these are.
func leadership(phases []PhaseMeasure, all []checker.Hold) Leadership {
	l := Leadership{Nobody: unmeasured("nobody was granted the lock")}
	l.Both = l.Nobody
	var end int64
	for i := range phases {
		end = max(end, phases[i].End)
	}
	for _, lock := range byLock(all) {
		l.watch(lock, end)
	}
	for i := range phases {
		if p := &phases[i]; p.Struck() {
			l.Successions = append(l.Successions, Succession{p.Name, succession(p, all)})
		}
	}
	if l.Leaders == 0 {
		l.Reason = l.Nobody.Reason
	}
	return l
}

// watch goes through the time of one lock, from its first grant on.
func (l *Leadership) watch(lock []checker.Hold, end int64) {
	first := int64(never)
	for _, h := range lock {
		if h.Held {
			l.Leaders++
			first = min(first, h.Answered)
		}
	}
	if first >= end {
		return
	}
	l.Nobody, l.Both = l.Nobody.longer(measured(0)), l.Both.longer(measured(0))
	var nobody, both int64
	for _, s := range stretches(lock, first, end) {
		took := s.to - s.from
		if nobody += took; s.holders > 0 {
			nobody = 0
		}
		if both += took; s.holders < 2 {
			both = 0
		}
		l.Nobody, l.Both = l.Nobody.longer(measured(nobody)), l.Both.longer(measured(both))
	}
}

// succession finds the first grant to another process than the one that led when the fault was in place.
func succession(p *PhaseMeasure, all []checker.Hold) Span {
	var leader *checker.Hold
	for i := range all {
		if h := &all[i]; h.Held && h.Answered < p.From && (leader == nil || h.Answered > leader.Answered) {
			leader = h
		}
	}
	after := unmeasured("nobody else led before the phase ended")
	for _, h := range all {
		if !h.Held || h.Answered < p.From || h.Answered >= p.End || leader != nil && h.Process == leader.Process {
			continue
		}
		if s := measured(h.Answered - p.From); !after.Measured || s.D < after.D {
			after = s
		}
	}
	return after
}

// merge adds what another test of the same driver measured: the longest times.
func (l *Leadership) merge(o Leadership) {
	if o.Leaders == 0 {
		if l.Leaders == 0 && l.Reason == "" {
			l.Reason = o.Reason
		}
		return
	}
	l.Reason = ""
	l.Leaders += o.Leaders
	l.Nobody, l.Both = l.Nobody.longer(o.Nobody), l.Both.longer(o.Both)
next:
	for _, s := range o.Successions {
		for i := range l.Successions {
			if mine := &l.Successions[i]; mine.Phase == s.Phase {
				mine.After = mine.After.slower(s.After)
				continue next
			}
		}
		l.Successions = append(l.Successions, s)
	}
}

// Slowest is the longest of the successions; it is not measured if one never came.
func (l *Leadership) Slowest() Span {
	var all Span
	for _, s := range l.Successions {
		all = all.slower(s.After)
	}
	return all
}
