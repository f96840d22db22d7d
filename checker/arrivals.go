package checker

import (
	"cmp"
	"slices"

	"github.com/lockbench/lockbench/internal/history"
)

// arrivals are the grants of one lock of which a request was served so far. It answers whether a later grant than
// a given one is among them, in O(log n).
//
// A refused request makes no arrival: it neither read nor wrote, so nothing that comes after it is stale for it.
type arrivals struct {
	arrived map[*grant]bool
	// newest was asked for last; own likewise, for each process.
	newest *grant
	own    map[*history.Process]*grant
	// ranks are the lock's tokens from the highest down. returned[i] is the node of a binary indexed tree over
	// them: who, of the grants with the tokens that it covers, returned last.
	ranks    []uint64
	returned []lastReturned
}

// lastReturned holds the grant whose acquire returned last, and the last one of any other process.
type lastReturned [2]*grant

func newArrivals(l *lock) *arrivals {
	a := &arrivals{arrived: map[*grant]bool{}, own: map[*history.Process]*grant{}}
	for _, g := range l.grants {
		if g.Token.Set {
			a.ranks = append(a.ranks, g.Token.V)
		}
	}
	slices.SortFunc(a.ranks, func(x, y uint64) int { return cmp.Compare(y, x) })
	a.ranks = slices.Compact(a.ranks)
	a.returned = make([]lastReturned, len(a.ranks)+1)
	return a
}

func (a *arrivals) add(g *grant) {
	if a.arrived[g] {
		return
	}
	a.arrived[g] = true
	if a.newest == nil || g.Invoke.Time > a.newest.Invoke.Time {
		a.newest = g
	}
	if o := a.own[g.Process]; o == nil || g.N > o.N {
		a.own[g.Process] = g
	}
	if g.Token.Set {
		for i := a.above(g) + 1; i < len(a.returned); i += i & -i {
			a.returned[i].add(g)
		}
	}
}

// above is how many of the lock's tokens are higher than g's.
func (a *arrivals) above(g *grant) int {
	i, _ := slices.BinarySearchFunc(a.ranks, g.Token.V, func(x, y uint64) int { return cmp.Compare(y, x) })
	return i
}

// laterThan finds a grant among them that is later than g, or nil: the one that was asked for last if that is
// later by time, else one that is later by token.
func (a *arrivals) laterThan(g *grant) *grant {
	if a.newest != nil && before(g, a.newest) {
		return a.newest
	}
	// At equal times newest may be another process's, which is then in no order with g.
	if o := a.own[g.Process]; o != nil && before(g, o) {
		return o
	}
	if !g.Token.Set {
		return nil
	}
	// A higher token makes a grant later unless it had returned before g was asked for. At equal times g's own
	// process may hide another's, hence two of them.
	for i := a.above(g); i > 0; i -= i & -i {
		for _, o := range a.returned[i] {
			if o != nil && !before(o, g) {
				return o
			}
		}
	}
	return nil
}

func (l *lastReturned) add(g *grant) {
	switch {
	case l[0] == nil:
		l[0] = g
	case l[0].Process == g.Process:
		if g.Return.Time > l[0].Return.Time {
			l[0] = g
		}
	case g.Return.Time > l[0].Return.Time:
		l[0], l[1] = g, l[0]
	case l[1] == nil || g.Return.Time > l[1].Return.Time:
		l[1] = g
	}
}
