package checker

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/lockbench/lockbench/checker/history"
)

// HoldEventKind says what happened to an acquire.
type HoldEventKind int

// The kinds of HoldEvent.
const (
	// Asked: the acquire was invoked.
	Asked HoldEventKind = iota
	// Answered: its worker waits no longer. The acquire ended, or the client was killed.
	Answered
	// FellSilent: it was never answered, and this is the last sign of life of its client.
	FellSilent
	// Ended: its hold ended.
	Ended
)

// HoldEvent is one change of an acquire. Fields of the Hold that a later event tells are not set yet.
type HoldEvent struct {
	*Hold
	What HoldEventKind
}

// KnownEnd is when the client of an acquire was last known to live, if that is what ended the acquire or its hold. A
// history shows it only in retrospect.
type KnownEnd struct {
	Grant history.GrantKey
	At    int64
}

// Known is what a pass over a history must know in advance, and only an earlier pass can tell.
type Known struct {
	Ends []KnownEnd
	// Grants are those that lines are about which come long after the grant was over.
	Grants map[history.GrantKey]bool
	// All says that there are so many of them that every grant must be remembered.
	All bool
}

// Nothing reports whether there is nothing to know.
func (k *Known) Nothing() bool { return len(k.Ends)+len(k.Grants) == 0 }

// And is what both know.
func (k *Known) And(more Known) Known {
	both := Known{All: k.All || more.All, Ends: append(slices.Clone(k.Ends), more.Ends...), Grants: map[history.GrantKey]bool{}}
	maps.Copy(both.Grants, k.Grants)
	maps.Copy(both.Grants, more.Grants)
	return both
}

// HoldStream tells the same of a history as Holds does, but line by line and in bounded memory. Lines must come in
// the order of their times, except for the resource's. It is not safe for concurrent use.
type HoldStream struct {
	// OnServed, if set, is called for each request that the resource serves.
	OnServed func(*history.Request)

	tracker *history.Tracker
	lives   *lives
	lines   int
	index   int64
	holds   []*streamHold // by history.Grant.Index; nil: forgotten
	events  []heldEvent   // at this time
	killed  []*process    // at this time
	doubts  []*streamHold // whose client may have died before it was killed
	missed  Known
	lost    bool // a line cannot be judged, for one before it was about a grant that was forgotten
	out     []HoldEvent
	// known are the ends that an earlier pass found, by their times; those before next have passed.
	known   []*knownEnd
	byGrant map[history.GrantKey]*knownEnd
	next    int
}

type streamHold struct {
	Hold
	process         *process
	answered, ended bool
}

type heldEvent struct {
	*streamHold
	what HoldEventKind
}

type knownEnd struct {
	at   int64
	hold *streamHold
}

// NewHoldStream returns a stream for one pass over a history. known is what the passes before missed.
func NewHoldStream(known Known) *HoldStream {
	s := &HoldStream{lives: newLives(), index: -1, byGrant: map[history.GrantKey]*knownEnd{}}
	s.tracker = history.NewTracker(holdObserver{s}, history.Retain{All: known.All, Grants: known.Grants})
	for _, k := range known.Ends {
		one := &knownEnd{at: k.At}
		s.known, s.byGrant[k.Grant] = append(s.known, one), one
	}
	slices.SortStableFunc(s.known, func(a, b *knownEnd) int { return cmp.Compare(a.at, b.at) })
	return s
}

// Feed takes the next line. Its error is a *history.LineError: the lines are not a well-formed history.
func (s *HoldStream) Feed(op *history.Op) error {
	if s.lost {
		return nil
	}
	s.lines++
	if err := op.Check(); err != nil {
		return &history.LineError{Line: s.lines, Err: err}
	}
	if err := history.CheckIndex(s.index, op); err != nil {
		return &history.LineError{Line: s.lines, Err: err}
	}
	s.index = op.Index
	return s.note(s.tracker.Feed(history.Stamp{Time: op.Time, Line: s.lines}, op))
}

// Settle returns the events of the time now, after all of its lines were fed: in the order of the lines, and then
// what no line tells. The slice is valid until the next call.
func (s *HoldStream) Settle(now int64) []HoldEvent {
	s.out = s.out[:0]
	for _, e := range s.events {
		switch e.what {
		case Asked:
			s.tell(e.streamHold, Asked)
			if e.process.killed <= now { // its client was killed before this line was written
				s.answer(e.streamHold, now, false)
			}
		case Answered:
			s.answer(e.streamHold, now, e.Outcome == history.OK && now < e.process.killed)
		case Ended:
			s.end(e.streamHold, now)
		case FellSilent:
		}
	}
	for _, p := range s.killed {
		s.bury(p, now)
	}
	for ; s.next < len(s.known) && s.known[s.next].at <= now; s.next++ {
		if h := s.known[s.next].hold; h != nil {
			s.fallSilent(h, now)
		}
	}
	s.events, s.killed = s.events[:0], s.killed[:0]
	return s.out
}

func (s *HoldStream) tell(h *streamHold, what HoldEventKind) {
	s.out = append(s.out, HoldEvent{&h.Hold, what})
}

func (s *HoldStream) answer(h *streamHold, now int64, held bool) {
	if h.answered {
		return
	}
	h.Hold.Answered, h.Held, h.answered = now, held, true
	s.tell(h, Answered)
}

func (s *HoldStream) end(h *streamHold, now int64) {
	if !h.Held || h.ended {
		return
	}
	h.End, h.ended = now, true
	s.tell(h, Ended)
}

// bury ends what the process waited for and held when it was killed.
func (s *HoldStream) bury(p *process, now int64) {
	for _, g := range p.Grants {
		h := s.holds[g.Index]
		s.answer(h, now, false)
		if h.Held && !h.ended && !p.diedByKill() {
			s.doubts = append(s.doubts, h)
		}
		s.end(h, now)
	}
}

// fallSilent ends what nothing else ends.
func (s *HoldStream) fallSilent(h *streamHold, now int64) {
	if h.answered {
		s.end(h, now)
		return
	}
	h.Hold.Answered, h.Unanswered, h.answered = now, true, true
	s.tell(h, FellSilent)
}

// Finish says that now was the time of the last line, after its Settle. It returns the last events of that time, and
// what nothing told while the lines went by. If there is any of that, what was told is wrong: another pass must know
// it. Its error is a *history.LineError.
func (s *HoldStream) Finish(now int64) (last []HoldEvent, missed Known, err error) {
	if err := s.note(s.tracker.Finish()); err != nil {
		return nil, Known{}, err
	}
	if len(s.missed.Grants) > 0 {
		return nil, s.missed, nil // not all lines were heard
	}
	s.out = s.out[:0]
	miss := func(h *streamHold, at int64) {
		s.missed.Ends = append(s.missed.Ends, KnownEnd{history.GrantKey{Process: h.Process.N, Grant: h.N}, at})
	}
	for _, h := range s.holds {
		if h == nil || h.answered && (!h.Held || h.ended) {
			continue
		}
		at := h.process.last()
		if at < now {
			miss(h, at)
		}
		s.fallSilent(h, at)
	}
	for _, h := range s.doubts {
		if at := h.process.last(); at < h.End {
			h.End = at
			miss(h, at)
			s.tell(h, Ended)
		}
	}
	return s.out, s.missed, nil
}

// note notes what was forgotten. Errors of later lines then prove nothing.
func (s *HoldStream) note(err error) error {
	var forgotten *history.ForgottenError
	switch {
	case errors.As(err, &forgotten):
		if s.missed.Grants == nil {
			s.missed.Grants = map[history.GrantKey]bool{}
		}
		s.missed.Grants[forgotten.Grant] = true
		return nil
	case len(s.missed.Grants) > 0 && err != nil:
		s.lost = true
		return nil
	}
	return err
}

// holdObserver is what the tracker tells a HoldStream.
type holdObserver struct{ *HoldStream }

// Line implements history.Observer, as do the methods below.
func (s holdObserver) Line(p *history.Process, at history.Stamp) { s.lives.line(p, at.Time) }

func (s holdObserver) Invoked(g *history.Grant) {
	h := &streamHold{Hold: Hold{Grant: g}, process: s.lives.processes[g.Process.Index]}
	for g.Index >= len(s.holds) {
		s.holds = append(s.holds, nil)
	}
	s.holds[g.Index] = h
	if len(s.byGrant) > 0 {
		if k := s.byGrant[history.GrantKey{Process: g.Process.N, Grant: g.N}]; k != nil {
			k.hold = h
		}
	}
	s.events = append(s.events, heldEvent{h, Asked})
}

func (s holdObserver) Returned(g *history.Grant) {
	s.events = append(s.events, heldEvent{s.holds[g.Index], Answered})
}

func (s holdObserver) GivenUp(g *history.Grant) {
	s.events = append(s.events, heldEvent{s.holds[g.Index], Ended})
}

func (s holdObserver) Served(r *history.Request) {
	if s.OnServed != nil {
		s.OnServed(r)
	}
}

func (s holdObserver) Nemesis(op *history.Op) {
	if op.F == history.Kill && op.Type == history.Invoke {
		s.killed = append(s.killed, s.lives.kill(op.Client, op.Time)...)
	}
}

func (s holdObserver) Forgotten(g *history.Grant)           { s.holds[g.Index] = nil }
func (holdObserver) ToldLost(*history.Grant, history.Stamp) {}
func (holdObserver) Unreleased(*history.Process)            {}
func (holdObserver) Requested(*history.Request)             {}
func (holdObserver) Answered(*history.Request)              {}
