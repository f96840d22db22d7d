package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

// Kind is a kind of latency. Every run measures all of them, each in phases without a fault.
type Kind string

// The kinds.
const (
	// Uncontended: from the call of an acquire to its return, in the phases that measure latency: one worker, alone.
	Uncontended Kind = "uncontended"
	// Contended: the same in the phases in which more than one worker asks for the lock.
	Contended Kind = "contended"
	// HandOff: from the end of a hold, at which somebody was waiting already, to the return of the next grant.
	HandOff Kind = "hand-off"
)

// Kinds lists the kinds, in the order of the columns.
func Kinds() []Kind { return []Kind{Uncontended, Contended, HandOff} }

// Of is the row's latency of a kind.
func (r *Row) Of(k Kind) Latency {
	switch k {
	case Contended:
		return r.Contended
	case HandOff:
		return r.HandOff
	case Uncontended:
	}
	return r.Latency
}

// mergeLatency merges what the row's tests measured, and says of a kind that has nothing why.
func (r *Row) mergeLatency() {
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Status != results.NotApplicable {
			r.Latency.merge(t.Measured.Latency)
			r.Contended.merge(t.Measured.Contended)
			r.HandOff.merge(t.Measured.HandOff)
		}
	}
	for _, l := range []*Latency{&r.Latency, &r.Contended, &r.HandOff} {
		if l.Reason == "" {
			l.Reason = orElse(r.Driver.Reason, noHistory)
		}
	}
}

const (
	noHistory    = "there is no history"
	noContention = "there is no phase without a fault in which more than one worker asks for a lock"
	noHandOff    = "nobody was waiting when a hold ended"
)

// sharing is what the phases without a fault say in which more than one worker asks for a lock.
type sharing struct {
	Contention
	contended, handOff Latency
	workers            int64         // how many there are, 0 if nobody knows: then each process counts as one
	grants             map[int64]int // by worker
	ops                []history.Op
}

// share measures these phases. all are the acquires of the history.
func share(phases []PhaseMeasure, ops []history.Op, all []checker.Hold, workers int64) (*sharing, error) {
	s := &sharing{
		contended: Latency{Reason: "nothing was granted where several workers asked"}, handOff: Latency{Reason: noHandOff},
		workers: workers, grants: map[int64]int{}, ops: ops,
	}
	locks := byLock(all)
	for i := range phases {
		p := &phases[i]
		if p.Struck() {
			continue
		}
		asked := false
		for _, lock := range locks {
			several, err := s.add(lock, p, nextFault(phases[i+1:]))
			if err != nil {
				return nil, fmt.Errorf("phase %s: %w", p.Name, err)
			}
			asked = asked || several
		}
		if asked {
			s.contended.During += time.Duration(p.End - p.Begin)
		}
	}
	s.sum(s.grants)
	if s.Workers == 0 {
		s.contended.Reason, s.handOff.Reason = noContention, noContention
	}
	return s, nil
}

// nextFault is when the next phase with a fault begins, or never.
func nextFault(later []PhaseMeasure) int64 {
	for i := range later {
		if later[i].Struck() {
			return later[i].Begin
		}
	}
	return never
}

// add measures one lock in one phase, if more than one worker asks for it. fault is when the next phase with a fault begins.
func (s *sharing) add(lock []checker.Hold, p *PhaseMeasure, fault int64) (several bool, err error) {
	calls := invokedIn(lock, p.Begin, p.End)
	asked, inVain := map[int64]int{}, 0 // grants of each worker that asked
	for i := range calls {
		h, granted := &calls[i], 0
		switch {
		case h.Answered >= p.End || h.Unanswered:
		case h.Held:
			granted = 1
		default:
			inVain++
		}
		asked[worker(h, s.workers)] += granted
	}
	if len(asked) < 2 {
		return false, nil
	}
	for w, n := range asked {
		s.grants[w] += n
		s.Grants += n
	}
	s.NotGranted += inVain
	s.contended.NotGranted += int64(inVain)
	first := p.End
	for i := range lock {
		if h := &lock[i]; h.Held && h.Answered >= p.Begin {
			first = min(first, h.Answered)
		}
	}
	for i := range calls {
		if err := s.latency(&calls[i], fault); err != nil {
			return true, err
		}
	}
	// What comes before the first grant is the start of the workers' sessions.
	return true, s.handOffs(stretches(lock, first, p.End))
}

// invokedIn are the acquires that were invoked from one time on and before another; all are in the order of their invokes.
func invokedIn(all []checker.Hold, from, to int64) []checker.Hold {
	byInvoke := func(h checker.Hold, at int64) int { return cmp.Compare(h.Invoke.Time, at) }
	begin, _ := slices.BinarySearchFunc(all, from, byInvoke)
	end, _ := slices.BinarySearchFunc(all, to, byInvoke)
	return all[begin:max(begin, end)]
}

// latency adds a granted acquire, however late it was granted, unless a fault may have had to do with that.
func (s *sharing) latency(h *checker.Hold, fault int64) error {
	if !h.Held || h.Answered >= fault {
		return nil
	}
	from := h.Invoke.Time
	if intended := s.ops[h.Invoke.Line-1].Intended; intended != 0 {
		from, s.contended.OpenLoop = intended, true
	}
	return s.contended.record(h.Answered - from)
}

// worker is who made an acquire. A worker that goes on under a new process number adds the number of all workers.
func worker(h *checker.Hold, workers int64) int64 {
	if workers > 0 {
		return h.Process.N % workers
	}
	return h.Process.N
}

// handOffs goes through the time of one lock in one phase.
func (s *sharing) handOffs(all []stretch) error {
	ended := int64(never) // when the last hold ended, at which somebody was waiting
	var idle time.Duration
	for i, part := range all {
		s.Watched += time.Duration(part.to - part.from)
		switch {
		case part.holders > 0:
			if ended != never {
				if err := s.handOff.record(part.from - ended); err != nil {
					return err
				}
			}
			ended, idle = never, 0
			continue
		case i > 0 && all[i-1].holders > 0 && part.waiters > 0:
			ended = part.from
		}
		if part.waiters == 0 {
			idle = 0
			continue
		}
		idle += time.Duration(part.to - part.from)
		s.Idle += time.Duration(part.to - part.from)
		s.LongestIdle = max(s.LongestIdle, idle)
	}
	return nil
}
