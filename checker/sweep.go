package checker

import (
	"slices"

	"github.com/lockbench/lockbench/internal/history"
)

// sweep judges the lines of a history in the order of their times. Lines at the same time are in no order, but for those of one
// process: what depends on their order is decided when the time goes on, in settle.
type sweep struct {
	opt    Options
	retain *retain
	lives  *lives
	locks  map[string]*lock
	grants []*grant // by history.Grant.Index; nil: forgotten
	counts Counts
	// begin and end are the first and the last time of the history, now that of the newest line but for the resource's.
	begin, end, now int64
	tick            tick
	faults          faults
	progress        progress
	liveness        liveness
	incidents       incidents
	undecided       map[*overlapping]bool
	stale           []staleRequest
	// tokens is true if a grant had a token, rejected if the resource refused a request, used if the turn of a grant was seen.
	tokens, rejected, used bool
	// hosts is true if the lines come from several hosts. Their times are then only compared within a process.
	hosts bool
}

// tick is what happened at the time now.
type tick struct {
	returned []*grant // ok
	refused  []*grant // fail and info
	givenUp  []*grant
	writers  []*grant // of the writes that were invoked
	answered []answer
	killed   []*process
	struck   bool // the nemesis wrote a line
	healed   bool // a heal was done
	fault    bool // a fault began
}

type answer struct {
	grant   *grant
	request *history.Request
}

// lock is what is remembered of one lock.
type lock struct {
	name string
	line int // the first of its acquires
	// waiting are the acquires that have not ended.
	waiting []*grant
	// live are its grants whose hold or turn is not over, as they returned.
	live     []*grant
	arrivals arrivals
	tokens   tokenHistory
	written  *history.Request // the newest write
	writer   *grant
	idle     idle
}

func newSweep(opt Options, r *retain) *sweep {
	return &sweep{opt: opt, retain: r, lives: newLives(), locks: map[string]*lock{}, undecided: map[*overlapping]bool{}, begin: never, liveness: newLiveness(opt)}
}

// clock notes the time of a line, and settles what was before.
func (s *sweep) clock(op *history.Op) error {
	s.begin, s.end = min(s.begin, op.Time), max(s.end, op.Time)
	if op.Type == history.Apply || op.Type == history.Reject || op.Time == s.now && !s.hosts {
		return nil
	}
	if op.Time < s.now && !s.hosts {
		return ErrOutOfOrder
	}
	s.settle()
	s.now = op.Time
	return nil
}

// Line implements history.Observer, as do the methods below.
func (s *sweep) Line(p *history.Process, at history.Stamp) { s.lives.line(p, at.Time) }

// Invoked is the invoke of an acquire.
func (s *sweep) Invoked(hg *history.Grant) {
	l, ok := s.locks[hg.Lock]
	if !ok {
		l = &lock{name: hg.Lock, line: hg.Invoke.Line, idle: idle{spell: spell{wished: never}}}
		s.locks[hg.Lock] = l
	}
	l.line = min(l.line, hg.Invoke.Line)
	g := &grant{Grant: hg, lock: l, process: s.lives.processes[hg.Process.Index], unwatched: never}
	for hg.Index >= len(s.grants) {
		s.grants = append(s.grants, nil)
	}
	s.grants[hg.Index] = g
	l.waiting = append(l.waiting, g)
	s.counts.Attempts++
	s.counts.Ambiguous++ // until it ends
	s.liveness.asked(g)
	s.tokensBefore(g)
}

// Returned is the end of an acquire.
func (s *sweep) Returned(hg *history.Grant) {
	g := s.grants[hg.Index]
	g.lock.waiting = without(g.lock.waiting, g)
	if hg.Outcome != history.Info {
		s.counts.Ambiguous--
	}
	if hg.Outcome != history.OK {
		s.tick.refused = append(s.tick.refused, g)
		return
	}
	s.counts.Grants++
	s.tokens = s.tokens || g.Token.Set
	s.beginHold(g)
	s.checkToken(g)
	s.beginGoodFaith(g)
	g.lock.live = append(g.lock.live, g)
	s.tick.returned = append(s.tick.returned, g)
}

// GivenUp is the end of a hold.
func (s *sweep) GivenUp(hg *history.Grant) {
	s.tick.givenUp = append(s.tick.givenUp, s.grants[hg.Index])
}

// Requested is the invoke of a request.
func (s *sweep) Requested(r *history.Request) {
	s.counts.Ambiguous++ // until it is answered
	if r.F == history.Write {
		s.writeInvoked(s.grants[r.Grant.Index])
	}
}

// Answered is the end of a request.
func (s *sweep) Answered(r *history.Request) {
	if r.Outcome == history.Info {
		return
	}
	s.counts.Ambiguous--
	g := s.grants[r.Grant.Index]
	s.tick.answered = append(s.tick.answered, answer{g, r})
	if r.Seq == 0 && s.awaits(r) {
		g.turn.unserved++
	}
}

// Served is a line of the resource.
func (s *sweep) Served(r *history.Request) {
	g := s.grants[r.Grant.Index]
	if answered(r) && (r.Answer.Time < s.now || s.hosts) && g.covers(r.Answer) { // else it is settled with the time of its answer
		g.turn.add(r)
	}
	if r.Rejected {
		s.rejected = true
		s.checkFence(g)
	} else {
		s.serve(g, r)
	}
	if answered(r) && s.awaits(r) {
		g.turn.unserved--
		s.endTurn(g)
	}
}

// Struck is a line of the nemesis.
func (s *sweep) Struck(op *history.Op) {
	s.hosts = s.hosts || op.F == history.Hosts
	s.tick.struck = true
	s.tick.healed = s.tick.healed || op.F == history.Heal && op.Type == history.OK
	s.tick.fault = s.tick.fault || op.Type == history.Invoke && op.F != history.Phase && op.F != history.Heal
	s.faults.take(op, s.progress.before)
	if op.F == history.Kill && op.Type == history.Invoke && !s.hosts {
		s.tick.killed = append(s.tick.killed, s.lives.kill(op.Client, op.Time)...)
	}
}

// Forgotten says that nothing more is said about the grant.
func (s *sweep) Forgotten(hg *history.Grant) {
	g := s.grants[hg.Index]
	s.grants[hg.Index] = nil
	g.lock.arrivals.forget(g)
}

// settle decides what happened at the time now, which is over.
func (s *sweep) settle() {
	t := &s.tick
	for _, a := range t.answered {
		if a.request.Seq != 0 && a.grant.covers(a.request.Answer) {
			a.grant.turn.add(a.request)
		}
	}
	s.progress.settle(s)
	s.liveness.settle(s)
	for _, g := range t.givenUp {
		s.endHold(g, min(g.givenUp().Time, g.process.killed))
	}
	for _, g := range t.returned {
		s.tokensAfter(g)
		if !g.held() {
			g.lock.arrivals.neverHeld(g)
			s.endHold(g, g.process.killed)
		}
	}
	for _, p := range t.killed {
		s.buryHolds(p)
	}
	*t = tick{
		returned: t.returned[:0], refused: t.refused[:0], givenUp: t.givenUp[:0], writers: t.writers[:0],
		answered: t.answered[:0], killed: t.killed[:0],
	}
}

// buryHolds ends the holds of a process that was killed just now.
func (s *sweep) buryHolds(p *process) {
	if !p.diedByKill() {
		return // it may have died before: that is known at the end
	}
	for _, hg := range p.Grants {
		if g := s.grants[hg.Index]; g.Outcome == history.OK {
			s.endHold(g, p.killed)
		}
	}
}

// endHold notes when the hold ended, which is now certain.
func (s *sweep) endHold(g *grant, end int64) {
	if g.decided {
		return
	}
	g.end, g.decided = end, true
	if end > g.unwatched && g.held() {
		s.retain.missGrant(g.key())
	}
	g.lock.idle.since = max(g.lock.idle.since, end)
	for _, o := range g.awaited {
		if o.open--; o.open == 0 {
			s.resolve(o)
		}
	}
	g.awaited = nil
	s.endTurn(g)
}

// finish decides what nothing decided.
func (s *sweep) finish() {
	s.liveness.over = s.end == s.now
	s.settle()
	s.liveness.finish(s)
	for _, l := range s.locks {
		for _, g := range slices.Clone(l.live) {
			s.endHold(g, g.knownEnd())
		}
	}
	for _, l := range s.locks {
		for _, g := range slices.Clone(l.live) {
			g.turn.unserved = 0 // what was not served by now never will be
			s.endTurn(g)
		}
	}
	s.findDelayed()
}

// without removes the grant, which is in the list at most once. The rest keeps its order.
func without(list []*grant, g *grant) []*grant {
	if i := slices.Index(list, g); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// answered reports whether the worker learned how its request ended.
func answered(r *history.Request) bool { return r.Outcome == history.OK || r.Outcome == history.Fail }
