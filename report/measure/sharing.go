package measure

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
)

const (
	noContention = "there is no phase without a fault in which more than one worker asks for a lock"
	notReached   = "the history ends before a phase in which more than one worker asks for a lock"
	noHandOff    = "nobody was waiting when a hold ended"
)

// sharing is what a phase without a fault says of the locks that more than one worker asks for.
type sharing struct {
	Contention
	contended, handOff Latency
	grants             map[int64]int // by worker
	measured           bool          // latency was
	// late are the acquires and hand-offs that ended after the phase. Those that ended in or after a phase with a
	// fault do not count, and whether a phase has one is known at its end.
	late []late
	// locks are those of the phase, and pending the hand-offs that it left.
	locks   []*lockSharing
	pending []*pendingHandOff
}

type late struct {
	to       *Latency
	at, ns   int64
	granted  bool
	openLoop bool
}

// lockSharing is what one phase says of one lock.
type lockSharing struct {
	sharing *sharing      // that it became part of when the phase ended; nil: it did not
	asked   map[int64]int // the workers that asked, with the grants that each got
	open    int           // how many acquires are not answered
	inVain  int           // how many were answered and not granted
	granted bool          // what comes before the first grant in the phase is the start of the workers' sessions

	contended, handOff sample
	openLoop           bool
	ended              int64 // when the last hold ended, at which somebody was waiting; or never
	neverHandedOn      int64
	held               bool // until the part that goes on began

	watched, idle, idling, longestIdle time.Duration
}

// pendingHandOff is a hand-off that began in a phase which is over.
type pendingHandOff struct {
	sharing *sharing
	ended   int64
	done    bool
}

// asked takes an acquire that is invoked now.
func (p *pass) asked(l *lockWatch, h *checker.Hold) {
	if p.phase == nil {
		return
	}
	s := l.share()
	if h.Intended != 0 && h.Intended < p.phase.Begin { // it was due in an earlier phase, and waited since
		s = &lockSharing{ended: never}
		if w := p.phaseAt(h.Intended); w != nil && w.sharing.measured {
			s.sharing = &w.sharing
			w.sharing.locks = append(w.sharing.locks, s)
		}
	} else {
		s.asked[p.worker(h.Process.N)] += 0
	}
	s.open++
	l.calls[h] = s
}

// share is what the phase that is going on says of the lock.
func (l *lockWatch) share() *lockSharing {
	if l.sharing == nil {
		l.sharing = &lockSharing{asked: map[int64]int{}, ended: never}
	}
	return l.sharing
}

// answered takes an acquire that ends now.
func (p *pass) answered(l *lockWatch, h *checker.Hold) {
	if h.Held && p.phase != nil {
		l.share().granted = true
	}
	s := l.calls[h]
	if s == nil {
		return
	}
	delete(l.calls, h)
	s.open--
	from := h.Invoke.Time
	if h.Intended != 0 {
		from = h.Intended
	}
	switch {
	case s.sharing != nil:
		s.sharing.late = append(s.sharing.late, late{&s.sharing.contended, p.now, p.now - from, h.Held, h.Intended != 0})
	case s != l.sharing: // of a phase that is not measured
	case !h.Held:
		s.inVain++
	default:
		s.asked[p.worker(h.Process.N)]++
		s.contended.add(p.now - from)
		s.openLoop = s.openLoop || h.Intended != 0
	}
}

// watch takes a part of the lock's time in the phase: how long nobody held it though somebody was waiting, and its
// hand-offs.
func (s *lockSharing) watch(one part) {
	if !s.granted {
		return
	}
	took := time.Duration(one.to - one.from)
	s.watched += took
	if one.holders > 0 || one.waiters == 0 {
		s.idling = 0
	} else {
		s.idle, s.idling = s.idle+took, s.idling+took
		s.longestIdle = max(s.longestIdle, s.idling)
	}
	switch {
	case one.holders > 0:
		if s.ended != never {
			s.handOff.add(one.from - s.ended)
		}
		s.ended = never
	case one.waiters == 0 && s.ended != never: // whoever was waiting gave up
		s.neverHandedOn++
		s.ended = never
	case s.held && one.waiters > 0:
		s.ended = one.from
	}
	s.held = one.holders > 0
}

// resolve takes a part of the lock's time, and reports whether the hand-off came to its end.
func (h *pendingHandOff) resolve(one part) bool {
	if h.done = one.holders > 0 || one.waiters == 0; h.done {
		h.sharing.late = append(h.sharing.late, late{&h.sharing.handOff, one.from, one.from - h.ended, one.holders > 0, false})
	}
	return h.done
}

// endSharing sums up the locks of a phase that ends now, if it had no fault.
func (p *pass) endSharing(w *phaseWatch) error {
	sum := &w.sharing
	sum.grants = map[int64]int{}
	timed := len(p.fair) == 0 || p.fair[w.Name]
	for _, l := range p.locks {
		s := l.sharing
		if l.sharing = nil; s == nil || w.HasFault() || len(s.asked) < 2 {
			continue
		}
		for worker, n := range s.asked {
			sum.grants[worker] += n
			sum.Grants += n
		}
		sum.NotGranted += s.inVain
		sum.Watched += s.watched
		sum.Idle += s.idle
		sum.LongestIdle = max(sum.LongestIdle, s.longestIdle)
		if !timed {
			continue
		}
		sum.measured, s.sharing = true, sum
		sum.locks = append(sum.locks, s)
		sum.contended.NotGranted += int64(s.inVain)
		sum.contended.OpenLoop = sum.contended.OpenLoop || s.openLoop
		sum.handOff.NotGranted += s.neverHandedOn
		if err := errors.Join(s.contended.recordIn(&sum.contended), s.handOff.recordIn(&sum.handOff)); err != nil {
			return fmt.Errorf("phase %s: measure the contention: %w", w.Name, err)
		}
		s.contended, s.handOff = sample{}, sample{}
		if s.ended != never {
			l.pending = &pendingHandOff{sharing: sum, ended: s.ended}
			sum.pending = append(sum.pending, l.pending)
		}
	}
	return nil
}

// finish takes what ended after the phase. fault is when the next phase with a fault began, or never.
func (s *sharing) finish(fault int64) error {
	for _, l := range s.late {
		if l.at >= fault {
			continue
		}
		if !l.granted {
			l.to.NotGranted++
			continue
		}
		l.to.OpenLoop = l.to.OpenLoop || l.openLoop
		if err := l.to.Record(l.ns); err != nil {
			return err
		}
	}
	if fault != never {
		return nil
	}
	// Until the end of the history nothing but the lock kept them waiting.
	for _, l := range s.locks {
		s.contended.NotGranted += int64(l.open)
	}
	for _, h := range s.pending {
		if !h.done {
			s.handOff.NotGranted++
		}
	}
	return nil
}

// finishSharing sums up the phases.
func (p *pass) finishSharing(m *Measurement) error {
	m.Contended = Latency{Reason: "nothing was granted where several workers asked"}
	m.HandOff = Latency{Reason: noHandOff}
	var sum Contention
	grants := map[int64]int{}
	measured := false
	fault := int64(never)
	for i := len(p.phases) - 1; i >= 0; i-- {
		w := p.phases[i]
		if w.HasFault() {
			fault = w.Begin
			continue
		}
		s := &w.sharing
		if err := s.finish(fault); err != nil {
			return fmt.Errorf("phase %s: measure the contention: %w", w.Name, err)
		}
		if s.measured {
			measured = true
			s.contended.During = time.Duration(w.End - w.Begin)
			s.contended.NotGranted += p.overdue(w, w.Begin, w.End)
		}
		m.Contended.Merge(s.contended)
		m.HandOff.Merge(s.handOff)
		for worker, n := range s.grants {
			grants[worker] += n
		}
		sum.Grants, sum.NotGranted = sum.Grants+s.Grants, sum.NotGranted+s.NotGranted
		sum.Idle, sum.Watched, sum.LongestIdle = sum.Idle+s.Idle, sum.Watched+s.Watched, max(sum.LongestIdle, s.LongestIdle)
	}
	sum.sum(grants)
	if p.run.Shows(results.Contention) {
		m.Contention = sum
	}
	if !measured {
		why := noContention
		if p.lacksCalm() {
			why = notReached
		}
		m.Contended.Reason, m.HandOff.Reason = why, why
	}
	return nil
}

// lacksCalm reports whether the history ends before a phase that is to have no fault, and in which workers may meet.
func (p *pass) lacksCalm() bool {
	return slices.ContainsFunc(p.test.Phases, func(phase results.Phase) bool {
		planned := p.run.Planned(phase.Name)
		return len(planned.Faults) == 0 && !planned.Latency && !slices.ContainsFunc(p.phases, func(w *phaseWatch) bool { return w.Name == phase.Name })
	})
}

// FairPhases names a driver's phases that run alone and in which workers may meet. Where it has any, contended
// latency is theirs alone: side by side, locks disturb each other, and those with fewer tests are disturbed more.
func FairPhases(run *results.Run, driver string) map[string]bool {
	fair := map[string]bool{}
	for _, t := range run.Tests {
		for _, p := range t.Phases {
			if t.Driver == driver && run.Planned(p.Name).Contended {
				fair[p.Name] = true
			}
		}
	}
	return fair
}
