package checker

import (
	"fmt"

	"github.com/lockbench/lockbench/internal/history"
)

// turn is a grant's part of the resource's order: from the first to the last of its requests that were each answered to the
// worker before the hold ended. A refused request counts too: it was made, and answered. Grants are compared if neither is later
// than the other; of several hosts all are.
type turn struct {
	first, last *history.Request
	// unserved is how many of them are answered, and the resource's line is still to come.
	unserved int
	over     bool
	// rivals are unordered with the grant, and their turns were over before this one, but for what began at unwatched or later.
	rivals    []*grant
	unwatched uint64
}

// add takes a request; they come in nearly the resource's order.
func (t *turn) add(r *history.Request) {
	if t.first == nil || r.Seq < t.first.Seq {
		t.first = r
	}
	if t.last == nil || r.Seq > t.last.Seq {
		t.last = r
	}
}

// awaits reports whether the resource's line of an answered request is waited for. A failed request that never reached the
// resource has none; if it comes after all, it is about a request that was forgotten, unless nothing is.
func (s *sweep) awaits(r *history.Request) bool {
	return r.Outcome == history.OK || s.retain.retains(s.grants[r.Grant.Index])
}

// endTurn compares the turn with those of unordered grants, if it is over. Two turns that overlap in an order without ties
// have a request of one between two of the other, as A … B … A. Both were held at B's request then, and it takes no clock
// to see it. It takes O(w) for w grants of the lock that are used at a time.
func (s *sweep) endTurn(g *grant) {
	if !g.decided || g.turn.unserved > 0 || g.turn.over {
		return
	}
	g.turn.over = true
	g.lock.live = without(g.lock.live, g)
	if g.turn.first != nil {
		s.used = true
		if g.turn.unwatched != 0 && g.turn.last.Seq > g.turn.unwatched {
			s.retain.missGrant(g.key())
		}
		for _, o := range g.turn.rivals {
			s.compareTurns(o, g)
		}
		for _, o := range g.lock.live {
			if s.hosts || !later(o, g) && !later(g, o) {
				s.rival(o, g)
			}
		}
	}
	g.turn.rivals = nil
}

// rival notes that g's turn is over, and may turn out to overlap that of o.
func (s *sweep) rival(o, g *grant) {
	switch first := g.turn.first.Seq; {
	case len(o.turn.rivals) < s.retain.watched || s.retain.retains(o):
		o.turn.rivals = append(o.turn.rivals, g)
	case o.turn.unwatched == 0 || first < o.turn.unwatched:
		o.turn.unwatched = first
	}
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
	s.incidents.add(finding{
		kind: interleavedKind, grants: []*grant{a, b}, at: inner.first.Served.Time, until: min(outer.last.Served.Time, inner.last.Served.Time),
		order: [2]uint64{inner.first.Seq, outer.first.Seq},
		explain: func(at clock) string {
			o, i := names(a, b)
			return fmt.Sprintf("%s and %s used %s in turns: requests of %s at %s, of %s at %s and of %s again at %s, each answered while its hold was open",
				o, i, quoted(a.lock), o, at(outer.first.Served), i, at(inner.first.Served), o, at(outer.last.Served))
		},
	})
}
