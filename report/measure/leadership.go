package measure

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

// leadershipWatch measures the leadership while the lines go by.
type leadershipWatch struct {
	leaders int
	newest  *checker.Hold // the newest that was granted
	// nobody and both are the longest times so far, and those of the phases that are over: what comes after the last
	// phase does not count.
	nobody, both, nobodyInPhases, bothInPhases Span
}

func newLeadershipWatch() leadershipWatch {
	none := NoSpan("nobody was granted the lock")
	return leadershipWatch{nobody: none, both: none, nobodyInPhases: none, bothInPhases: none}
}

// led takes a hold that begins now.
func (p *pass) led(l *lockWatch, h *checker.Hold) {
	w := &p.leadership
	w.leaders++
	l.led = true
	w.nobody, w.both = w.nobody.Longer(SpanOf(0)), w.both.Longer(SpanOf(0))
	// The first grant to another process than the one that led when the fault was in place.
	if f := p.phase; f != nil && f.from <= p.now && f.next == nil && (f.leader == nil || f.leader.Process != h.Process) {
		f.next = h
	}
	if w.newest == nil || h.Answered > w.newest.Answered || h.Invoke.Line < w.newest.Invoke.Line {
		w.newest = h
	}
}

// watch takes a part of one lock's time, from its first grant on.
func (w *leadershipWatch) watch(l *lockWatch, one part) {
	took := one.to - one.from
	if l.nobody += took; one.holders > 0 {
		l.nobody = 0
	}
	if l.both += took; one.holders < 2 {
		l.both = 0
	}
	w.nobody, w.both = w.nobody.Longer(SpanOf(l.nobody)), w.both.Longer(SpanOf(l.both))
}

func (w *leadershipWatch) phaseEnds() { w.nobodyInPhases, w.bothInPhases = w.nobody, w.both }

func (w *leadershipWatch) finish(phases []*phaseWatch) Leadership {
	l := Leadership{Leaders: w.leaders, Nobody: w.nobodyInPhases, Both: w.bothInPhases}
	for _, p := range phases {
		if !p.HasFault() {
			continue
		}
		s := Succession{p.Name, NoSpan("nobody else led before the phase ended")}
		if p.next != nil {
			s.After = SpanOf(p.next.Answered - p.from)
		}
		l.Successions = append(l.Successions, s)
	}
	if l.Leaders == 0 {
		l.Reason = l.Nobody.Reason
	}
	return l
}

// Merge adds what another test of the same driver measured: the longest times.
func (l *Leadership) Merge(o Leadership) {
	if o.Leaders == 0 {
		if l.Leaders == 0 && l.Reason == "" {
			l.Reason = o.Reason
		}
		return
	}
	l.Reason = ""
	l.Leaders += o.Leaders
	l.Nobody, l.Both = l.Nobody.Longer(o.Nobody), l.Both.Longer(o.Both)
next:
	for _, s := range o.Successions {
		for i := range l.Successions {
			if mine := &l.Successions[i]; mine.Phase == s.Phase {
				mine.After = mine.After.Slower(s.After)
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
		all = all.Slower(s.After)
	}
	return all
}
