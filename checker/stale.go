package checker

import "github.com/lockbench/lockbench/checker/history"

// goodFaith is what tells, of a stale write, whether it was sent in good faith by the only holder, and only arrived
// late: that shows that a fence is missing, not that the lock is broken.
type goodFaith struct {
	// beaten is true if a later grant had returned and arrived before this one returned; rivals are later grants that
	// may arrive, and returned before it, or when it wrote.
	beaten bool
	rivals []*grant
	// crowded is true if there were too many grants to look for all rivals among them. If it matters, the grant is
	// missed.
	crowded bool
}

// beginGoodFaith notes which later grants have returned when g does: by token, for g was waiting then.
func (s *sweep) beginGoodFaith(g *grant) {
	if s.hosts || g.outer != nil {
		return // it takes a clock to see it, and what counts is the outer grant
	}
	a, t := &g.lock.arrivals, &s.tick
	g.good.beaten = a.higher(g) != nil
	kept := s.retain.retains(g)
	if g.Token.Set {
		n := 0
		for o := a.away.last; o != nil && o.Return.Time >= g.Invoke.Time; o = a.away.prev(o) {
			if n++; n > s.retain.rivals && !kept {
				g.good.crowded = true
				break
			}
			g.rival(o)
		}
		a.away.push(g)
	}
	for _, o := range s.few(t.returned, kept) {
		o.rival(g)
	}
	for _, o := range s.few(t.writers, kept) {
		o.rival(g)
	}
	for _, o := range t.kept {
		o.rival(g)
	}
}

// writeInvoked notes that g invokes a write.
func (s *sweep) writeInvoked(g *grant) {
	t, kept := &s.tick, s.retain.retains(g)
	for _, o := range s.few(t.returned, kept) {
		g.rival(o)
	}
	t.writers = append(t.writers, g)
	if kept {
		t.kept = append(t.kept, g)
	}
}

// few are the newest of the grants or, for one of which everything is remembered, all.
func (s *sweep) few(all []*grant, kept bool) []*grant {
	more := len(all) - s.retain.rivals
	if kept || more <= 0 {
		return all
	}
	s.tick.crowded = true
	return all[more:]
}

// rival notes o if it is later than g.
func (g *grant) rival(o *grant) {
	if o != g && o.lock == g.lock && later(o, g) && (len(g.good.rivals) == 0 || g.good.rivals[len(g.good.rivals)-1] != o) {
		g.good.rivals = append(g.good.rivals, o)
	}
}

// settleGoodFaith notes of the grants of the time now that there were too many of them.
func (s *sweep) settleGoodFaith() {
	if !s.tick.crowded {
		return
	}
	for _, g := range s.tick.returned {
		g.good.crowded = true
	}
	for _, g := range s.tick.writers {
		g.good.crowded = true
	}
}

// serve looks for stale writes and lost updates: writes of a grant that are applied after a later grant's
// request was served, or although their base is no longer the item's version.
func (s *sweep) serve(g *grant, r *history.Request) {
	l := g.lock
	newer := s.laterThan(g)
	if g.first == nil {
		g.first = r
		l.arrivals.add(g)
		s.next(g)
	}
	if r.F != history.Write {
		return
	}
	s.counts.Writes++
	if newer != nil {
		s.staleWrite(g, r, newer)
	}
	// The item starts at version 0, so what a base of another version overwrote has a writer.
	if r.Base.V+1 != r.Version.V {
		s.lostUpdate(g, r)
	}
	l.written, l.writer = r, g
}

// laterThan finds a later grant than g of which a request was served, or nil.
func (s *sweep) laterThan(g *grant) *grant {
	if s.hosts {
		return g.lock.arrivals.laterByToken(g)
	}
	return g.lock.arrivals.laterThan(g)
}

func (s *sweep) staleWrite(g *grant, r *history.Request, newer *grant) {
	s.counts.StaleWrite++
	f := &finding{
		kind: staleKind, grants: []*grant{g, newer}, requests: []*history.Request{r, newer.first},
		at: r.Served.Time, until: r.Served.Time, order: [2]uint64{r.Seq},
	}
	s.stale = append(s.stale, f)
	s.incidents.add(f)
}

// next tells the grants of g's process that returned at the very time at which g was invoked that g arrived.
// At equal times the newest arrival may be another process's, which is then in no order with them.
func (s *sweep) next(g *grant) {
	for i := len(g.process.Grants) - 1; i >= 0; i-- {
		hg := g.process.Grants[i]
		if hg.N >= g.N {
			continue
		}
		if hg.Return.Time < g.Invoke.Time {
			return
		}
		if o := s.grants[hg.Index]; o.lock == g.lock && (o.next == nil || o.next.N < g.N) {
			o.next = g
		}
	}
}

// checkFence counts a refused request. A stale one, of a grant of which a later one had been served, shows that
// fencing worked, and is no violation. One that no later grant explains shows that the fence is broken, or
// that the tokens which it went by are.
func (s *sweep) checkFence(g *grant) {
	if s.laterThan(g) != nil {
		s.counts.FencedOff++
	} else {
		s.counts.BrokenFence++
	}
}

// findDelayed counts the stale writes of class delayed: invoked inside their hold, before the return of every later
// grant whose request came first, if that hold overlapped no other.
func (s *sweep) findDelayed() {
	if s.hosts {
		return
	}
	for _, f := range s.stale {
		g, r := f.grants[0], f.requests[0]
		switch {
		case g.overlapped || !g.covers(r.Invoke) || knowable(g, r):
		case g.good.crowded && !s.retain.retains(g):
			s.retain.missGrant(g.key())
		default:
			s.counts.StaleDelayed++
			f.delayed = true
			g.incident.root().counts[delayedKind]++
		}
	}
}

// knowable reports whether a later grant had returned when g invoked the write, and arrived before it. Of those that
// returned during the hold, which did not overlap, there are only the ones that were never held, and those at its
// very end.
func knowable(g *grant, r *history.Request) bool {
	returned := func(o *grant) bool {
		return o.first != nil && o.first.Seq < r.Seq && o.Return.Time <= r.Invoke.Time && later(o, g)
	}
	if g.good.beaten {
		return true
	}
	for _, o := range g.good.rivals {
		if returned(o) {
			return true
		}
	}
	for _, o := range g.lock.arrivals.unheld {
		if returned(o) {
			return true
		}
	}
	return false
}
