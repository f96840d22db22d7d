package checker

import (
	"cmp"
	"slices"
	"sort"
)

// arrivals are the grants of one lock of which a request was served so far. It answers whether a later grant than
// a given one is among them.
//
// A refused request makes no arrival: it neither read nor wrote, so nothing that comes after it is stale for it.
type arrivals struct {
	// newest was asked for last, highest has the highest token.
	newest, highest *grant
	// front are those that stand for all in the order of tokens, as they returned, so that their tokens fall. Of each of
	// the others there is one here that has no lower token and returned no earlier. If tokens rise, it is one. Of those
	// that returned at the same time there are two, of different processes: one may be the asker's own.
	front []*grant
	// away are the grants with a token that did not arrive yet, as they returned.
	away chain
	// unheld are those that returned after their client had been killed.
	unheld []*grant
}

// add takes a grant of which a request is served, the first one.
func (a *arrivals) add(g *grant) {
	if a.newest == nil || g.Invoke.Time > a.newest.Invoke.Time {
		a.newest = g
	}
	if g.Token.Set {
		a.highest = higher(a.highest, g)
		a.away.remove(g)
		a.addToken(g)
	}
}

// addToken puts the grant into the front, unless others stand for it.
func (a *arrivals) addToken(g *grant) {
	to := sort.Search(len(a.front), func(i int) bool { return a.front[i].Return.Time > g.Return.Time })
	from := to
	for from > 0 && a.front[from-1].Return.Time == g.Return.Time {
		from--
	}
	same := append(slices.Clone(a.front[from:to]), g)
	slices.SortStableFunc(same, func(a, b *grant) int { return cmp.Compare(b.Token.V, a.Token.V) })
	kept := same[:0]
	for _, o := range same {
		beaten := to < len(a.front) && a.front[to].Token.V >= o.Token.V
		if !beaten && (len(kept) == 0 || len(kept) == 1 && kept[0].process != o.process) {
			kept = append(kept, o)
		}
	}
	for from > 0 && len(kept) > 0 && a.front[from-1].Token.V <= kept[0].Token.V {
		from--
	}
	a.front = slices.Replace(a.front, from, to, kept...)
}

// laterThan finds a grant among them that is later than g, or nil: the one that was asked for last if that is
// later by time, else one that is later by token, of which it takes the one that returned last.
func (a *arrivals) laterThan(g *grant) *grant {
	if a.newest != nil && before(g, a.newest) {
		return a.newest
	}
	if g.next != nil {
		return g.next
	}
	return a.higher(g)
}

// laterByToken is laterThan for grants of several hosts, which are in the order of their tokens.
func (a *arrivals) laterByToken(g *grant) *grant {
	if !g.Token.Set || a.highest == nil || a.highest.Token.V <= g.Token.V {
		return nil
	}
	return a.highest
}

// higher finds the one that returned last of those that are later than g by token.
func (a *arrivals) higher(g *grant) *grant {
	if !g.Token.Set {
		return nil
	}
	n := sort.Search(len(a.front), func(i int) bool { return a.front[i].Token.V <= g.Token.V })
	for i := n - 1; i >= 0 && a.front[i].Return.Time >= g.Invoke.Time; i-- {
		if o := a.front[i]; !before(o, g) {
			return o
		}
	}
	return nil
}

// neverHeld notes a grant that returned to a client that had been killed.
func (a *arrivals) neverHeld(g *grant) { a.unheld = append(a.unheld, g) }

// forget notes that the grant, if it did not arrive yet, never will.
func (a *arrivals) forget(g *grant) {
	if g.first != nil {
		return
	}
	a.away.remove(g)
	if i := slices.Index(a.unheld, g); i >= 0 {
		a.unheld = slices.Delete(a.unheld, i, i+1)
	}
}
