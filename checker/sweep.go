package checker

import "github.com/lockbench/lockbench/checker/history"

// sweep judges the lines of a history in the order of their times. Lines at the same time are in no order, but for
// those of one process: what depends on their order is decided when the time goes on, in settle.
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
	outside         outside
	shares          shares
	over            int // how many acquires have ended, or their client has
	// undecided is how many holds began while another may have been open, and silent are those of clients that were
	// taken for dead.
	undecided int
	silent    []*grant
	stale     []*finding
	queued    int // how many holds and turns wait for those before them
	// tokens is true if a grant had a token, rejected if the resource refused a request, requested if a
	// request was made, used if the resource saw one.
	tokens, rejected, requested, used bool
	// hosts is true if the lines come from several hosts. Their times are then only compared within a process.
	hosts bool
}

// tick is what happened at the time now.
type tick struct {
	returned []*grant // ok
	refused  []*grant // fail and info
	givenUp  []*grant
	lost     []*grant           // whose client was told so
	writers  []*grant           // of the writes that were invoked
	kept     []*grant           // of those that returned or wrote, the ones of which everything is remembered
	crowded  bool               // there are too many of them
	own      map[ownLock]*grant // the highest token of those that returned
	asked    []*lock            // that refused an acquire, or granted it
	answered []answer
	killed   []*process
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
	// waiting are the acquires that have not ended, as they were invoked; live the grants whose hold or turn is not
	// over, as they returned.
	waiting, live chain
	overlaps      overlaps
	turns         turnQueue
	losses        losses
	arrivals      arrivals
	tokens        tokenHistory
	written       *history.Request // the newest write
	writer        *grant
	idle          idle
}

func newLock(first *history.Grant) *lock {
	return &lock{
		name: first.Lock, line: first.Invoke.Line, idle: idle{spell: spell{wished: never}, asked: never},
		waiting: chain{of: waitingChain}, live: chain{of: liveChain}, arrivals: arrivals{away: chain{of: awayChain}},
	}
}

func newSweep(opt Options, r *retain) *sweep {
	return &sweep{opt: opt, shares: shares{}, retain: r, lives: newLives(), locks: map[string]*lock{}, begin: never, tick: tick{own: map[ownLock]*grant{}}, liveness: newLiveness(opt)}
}

// remembered is how much is remembered beside what a Tracker does.
func (s *sweep) remembered() int {
	return len(s.locks) + len(s.faults.all) + len(s.stale) + s.queued
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
		l = newLock(hg)
		s.locks[hg.Lock] = l
	}
	l.line = min(l.line, hg.Invoke.Line)
	g := &grant{Grant: hg, lock: l, process: s.lives.processes[hg.Process.Index]}
	for hg.Index >= len(s.grants) {
		s.grants = append(s.grants, nil)
	}
	s.grants[hg.Index] = g
	l.waiting.push(g)
	l.losses.wish(s.now)
	s.counts.Attempts++
	s.shares.of(hg.Process.Client).attempts++
	s.counts.Ambiguous++ // until it ends
	s.liveness.asked(g)
	s.tokensBefore(g)
}

// Returned is the end of an acquire.
func (s *sweep) Returned(hg *history.Grant) {
	g := s.grants[hg.Index]
	g.lock.waiting.remove(g)
	s.askedNoMore(g)
	if hg.Outcome != history.Info {
		s.counts.Ambiguous--
	}
	if hg.Outcome != history.OK {
		s.tick.refused = append(s.tick.refused, g)
		return
	}
	s.counts.Grants++
	s.shares.of(hg.Process.Client).grants++
	s.tokens = s.tokens || g.Token.Set
	s.beginHold(g)
	s.checkToken(g)
	s.beginGoodFaith(g)
	g.lock.live.push(g)
	s.tick.returned = append(s.tick.returned, g)
	if s.retain.retains(g) {
		s.tick.kept = append(s.tick.kept, g)
	}
}

// GivenUp is the end of a hold.
func (s *sweep) GivenUp(hg *history.Grant) {
	g := s.grants[hg.Index]
	s.noLongerOpen(g)
	s.tick.givenUp = append(s.tick.givenUp, g)
}

// Requested is the invoke of a request.
func (s *sweep) Requested(r *history.Request) {
	s.requested = true
	s.counts.Ambiguous++ // until it is answered
	if r.F == history.Write {
		s.writeInvoked(s.grants[r.Grant.Index].outermost())
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
		g.outermost().turn.unserved++
	}
}

// Served is a line of the resource.
func (s *sweep) Served(r *history.Request) {
	own := s.grants[r.Grant.Index]
	g := own.outermost()
	s.used = true
	s.reach(g, r)
	if answered(r) && (r.Answer.Time < s.now || s.hosts) && own.covers(r.Answer) { // else it is settled with the time of its answer
		s.addTurn(g, r)
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

// Nemesis is a line of the nemesis.
func (s *sweep) Nemesis(op *history.Op) {
	if history.Outside(op.F) {
		s.outside.take(op, &s.faults)
		return
	}
	s.hosts = s.hosts || op.F == history.Hosts
	s.tick.healed = s.tick.healed || op.F == history.Heal && op.Type == history.OK
	s.tick.fault = s.tick.fault || op.Type == history.Invoke && op.F != history.Phase && op.F != history.Heal && (op.F != history.Kill || !s.liveness.always)
	s.faults.take(op, &s.progress)
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
			s.addTurn(a.grant.outermost(), a.request)
		}
	}
	s.settleGoodFaith()
	s.settleLosses()
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
	s.progress.over = s.over
	if len(t.own) > 0 {
		clear(t.own)
	}
	*t = tick{
		own: t.own, asked: t.asked[:0], lost: t.lost[:0],
		returned: t.returned[:0], refused: t.refused[:0], givenUp: t.givenUp[:0], writers: t.writers[:0],
		kept: t.kept[:0], answered: t.answered[:0], killed: t.killed[:0],
	}
}

// buryHolds ends the holds of a process that was killed just now.
func (s *sweep) buryHolds(p *process) {
	for _, hg := range p.Grants {
		if hg.Outcome == "" {
			s.askedNoMore(s.grants[hg.Index])
		}
	}
	if !p.diedByKill() {
		return // it may have died before: that is known at the end
	}
	for _, hg := range p.Grants {
		if g := s.grants[hg.Index]; g.Outcome == history.OK {
			s.endHold(g, p.killed)
		}
	}
}

// askedNoMore notes, once, that an acquire has ended or that its client was killed.
func (s *sweep) askedNoMore(g *grant) {
	if !g.over {
		g.over = true
		s.over++
	}
}

// endHold notes when the hold ended, which is now certain.
func (s *sweep) endHold(g *grant, end int64) {
	if g.decided {
		return
	}
	g.end, g.decided = end, true
	g.lock.idle.since = max(g.lock.idle.since, end)
	s.holdEnded(g)
	s.endTurn(g)
}

// finish decides what nothing decided.
func (s *sweep) finish() {
	s.liveness.over = s.end == s.now
	s.settle()
	s.liveness.finish(s)
	s.finishLosses()
	for _, l := range s.locks {
		for g := l.live.first; g != nil; {
			next := l.live.next(g) // it may be taken out
			s.endHold(g, g.knownEnd())
			g = next
		}
	}
	for _, l := range s.locks {
		for l.live.first != nil {
			g := l.live.first
			g.turn.unserved = 0 // what was not served by now never will be
			s.endTurn(g)
		}
	}
	s.findDelayed()
}

// answered reports whether the worker learned how its request ended.
func answered(r *history.Request) bool { return r.Outcome == history.OK || r.Outcome == history.Fail }
