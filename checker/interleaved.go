package checker

import (
	"slices"

	"github.com/lockbench/lockbench/checker/history"
)

// turn is a grant's part of the resource's order: from the first to the last of its requests that were each answered
// to the worker before the hold ended. A refused request counts too: it was made, and answered. Grants are compared
// if neither is later than the other; of several hosts all are.
type turn struct {
	first, last *history.Request
	// reached is the place in the resource's order of the grant's first line there; 0: there was none.
	reached uint64
	// unserved is how many of them are answered, and the resource's line is still to come.
	unserved int
	over     bool
	// taken is true if the turn was compared as if it were over.
	taken bool
}

// turnQueue is the grants of one lock in the order in which they reached the resource. Each is compared when
// its turn and those of all before it are over.
type turnQueue struct {
	queue
	// current are those that were compared whose turns reach beyond the newest of them.
	current []*grant
}

// addTurn takes a request into the grant's turn. They come in nearly the resource's order.
func (s *sweep) addTurn(g *grant, r *history.Request) {
	t := &g.turn
	if t.taken {
		s.retain.missGrant(g.key())
	}
	if t.first == nil || r.Seq < t.first.Seq {
		t.first = r
	}
	if t.last == nil || r.Seq > t.last.Seq {
		t.last = r
	}
}

// awaits reports whether the resource's line of an answered request is waited for. A failed request that never
// reached the resource has none; if it comes after all, it is about a request that was forgotten, unless nothing is.
func (s *sweep) awaits(r *history.Request) bool {
	return r.Outcome == history.OK || s.retain.retains(s.grants[r.Grant.Index])
}

// reach notes that a request of the grant reached the resource.
func (s *sweep) reach(g *grant, r *history.Request) {
	if g.turn.reached == 0 && !g.turn.over {
		g.turn.reached = r.Seq
		g.lock.turns.push(g)
	}
}

// endTurn notes that the turn is over, if it is.
func (s *sweep) endTurn(g *grant) {
	if !g.decided || g.turn.unserved > 0 || g.turn.over {
		return
	}
	g.turn.over = true
	l := g.lock
	l.live.remove(g)
	if g.turn.reached != 0 && !g.turn.taken {
		l.turns.over++
		s.queued++
		s.takeTurns(&l.turns)
	}
}

// takeTurns compares the turns that nothing before them can still change.
//
// So that not all must be remembered that were over while a holder is silent, its turn is taken as over if much waits
// for it. If it goes on after all, its grant is missed.
func (s *sweep) takeTurns(t *turnQueue) {
	for g := t.front(); g != nil; g = t.front() {
		if !g.turn.over {
			if t.over <= max(t.patience, s.retain.watched) {
				return
			}
			if !s.hosts && g.knownEnd() >= s.now || s.retain.retains(g) {
				t.patience = 2 * t.over
				return
			}
			g.turn.taken = true
		} else {
			s.queued--
			if t.over--; t.over == 0 {
				t.patience = 0
			}
		}
		t.pop()
		s.takeTurn(t, g)
	}
}

// takeTurn compares the turn with those before it that go on beyond its beginning. Two turns that overlap in an order
// without ties have a request of one between two of the other, as A … B … A. Both were held at B's request then, and
// it takes no clock to see it.
func (s *sweep) takeTurn(t *turnQueue, g *grant) {
	if g.turn.first == nil {
		return
	}
	t.current = slices.DeleteFunc(t.current, func(o *grant) bool { return o.turn.last.Seq < g.turn.reached })
	for _, o := range t.current {
		if s.hosts || !later(o, g) && !later(g, o) {
			s.compareTurns(o, g)
		}
	}
	t.current = append(t.current, g)
}

func (s *sweep) compareTurns(a, b *grant) {
	if a.turn.first.Seq > b.turn.first.Seq {
		a, b = b, a
	}
	outer, inner := a.turn, b.turn
	if outer.last.Seq < inner.first.Seq {
		return
	}
	s.counts.Interleaved++
	s.incidents.add(&finding{
		kind: interleavedKind, grants: []*grant{b, a}, requests: []*history.Request{outer.first, inner.first, outer.last},
		at: inner.first.Served.Time, until: min(outer.last.Served.Time, inner.last.Served.Time), order: [2]uint64{inner.first.Seq, outer.first.Seq},
	})
}
