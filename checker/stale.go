package checker

import (
	"fmt"

	"github.com/lockbench/lockbench/internal/history"
)

// goodFaith is what tells, of a stale write, whether it was sent in good faith by the only holder, and only arrived
// late: that shows that a fence is missing, not that the lock is broken.
type goodFaith struct {
	// beaten is true if a later grant had returned and arrived before this one returned; rivals are later grants that may
	// arrive, and returned before it, or when it wrote.
	beaten bool
	rivals []*grant
}

// staleRequest is a stale write.
type staleRequest struct {
	grant   *grant
	request *history.Request
}

// beginGoodFaith notes which later grants have returned when g does: by token, for g was waiting then.
func (s *sweep) beginGoodFaith(g *grant) {
	if s.hosts {
		return // it takes a clock to see it
	}
	a := &g.lock.arrivals
	g.good.beaten = a.higher(g) != nil
	if g.Token.Set {
		for i := len(a.away) - 1; i >= 0 && a.away[i].Return.Time >= g.Invoke.Time; i-- {
			g.rival(a.away[i])
		}
		a.away = append(a.away, g)
	}
	for _, o := range s.tick.returned {
		o.rival(g)
	}
	for _, o := range s.tick.writers {
		o.rival(g)
	}
}

// writeInvoked notes that g invokes a write.
func (s *sweep) writeInvoked(g *grant) {
	for _, o := range s.tick.returned {
		g.rival(o)
	}
	s.tick.writers = append(s.tick.writers, g)
}

// rival notes o if it is later than g.
func (g *grant) rival(o *grant) {
	if o != g && o.lock == g.lock && later(o, g) {
		g.good.rivals = append(g.good.rivals, o)
	}
}

// serve looks for stale writes and lost updates: writes of a grant that are applied after a later grant's
// request was served, or although their base is no longer the item's version.
func (s *sweep) serve(g *grant, r *history.Request) {
	l := g.lock
	newer := s.laterThan(g)
	if g.arrived == 0 {
		g.arrived = r.Seq
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
	s.stale = append(s.stale, staleRequest{g, r})
	s.incidents.add(finding{
		kind: staleKind, grants: []*grant{g, newer}, at: r.Served.Time, until: r.Served.Time, order: [2]uint64{r.Seq},
		explain: func(at clock) string {
			writer, holder := names(g, newer)
			return fmt.Sprintf("%s, granted %s at %s, wrote it at %s (version %d), after a request of %s, which is the later holder, granted it at %s",
				writer, quoted(g.lock), at(g.Return), at(r.Served), r.Version.V, holder, at(newer.Return))
		},
	})
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

// findDelayed counts the stale writes of class delayed: invoked inside their hold, before the return of every later grant whose
// request came first, if that hold overlapped no other.
func (s *sweep) findDelayed() {
	if s.hosts {
		return
	}
	for _, w := range s.stale {
		if !w.grant.overlapped && w.grant.covers(w.request.Invoke) && !w.knowable() {
			s.counts.StaleDelayed++
			w.grant.incident.root().kinds[delayedKind] = true
		}
	}
}

// knowable reports whether a later grant had returned when the write was invoked, and arrived before it. Of those that
// returned during the hold, which did not overlap, there are only the ones that were never held, and those at its very end.
func (w staleRequest) knowable() bool {
	g, r := w.grant, w.request
	returned := func(o *grant) bool {
		return o.arrived != 0 && o.arrived < r.Seq && o.Return.Time <= r.Invoke.Time && later(o, g)
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
