package checker

import "slices"

// arrivals are the grants of one lock of which a request was served so far. It answers whether a later grant than
// a given one is among them.
//
// A refused request makes no arrival: it neither read nor wrote, so nothing that comes after it is stale for it.
type arrivals struct {
	// newest was asked for last, highest has the highest token.
	newest, highest *grant
	// front are those that stand for all in the order of tokens, as they returned: of each of the others there is one here that has
	// no lower token and returned no earlier. If tokens rise, it is one.
	front []*grant
	// away are the grants with a token that did not arrive yet, as they returned; unheld those that returned after their
	// client had been killed.
	away, unheld []*grant
}

// add takes a grant of which a request is served, the first one.
func (a *arrivals) add(g *grant) {
	if a.newest == nil || g.Invoke.Time > a.newest.Invoke.Time {
		a.newest = g
	}
	if g.Token.Set {
		a.highest = higher(a.highest, g)
		a.away = without(a.away, g)
		a.addToken(g)
	}
}

// addToken puts the grant into the front, unless another stands for it.
func (a *arrivals) addToken(g *grant) {
	at := len(a.front)
	for at > 0 && a.front[at-1].Return.Time > g.Return.Time {
		at--
		if a.front[at].Token.V >= g.Token.V {
			return
		}
	}
	for i := at - 1; i >= 0; i-- {
		o := a.front[i]
		same := o.Return.Time == g.Return.Time
		if same && o.process != g.process { // one may be the asker's own, and hide the other
			continue
		}
		if o.Token.V > g.Token.V || same && o.Token == g.Token {
			if same {
				return
			}
			break
		}
		a.front = slices.Delete(a.front, i, i+1)
		at--
	}
	a.front = slices.Insert(a.front, at, g)
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
	for i := len(a.front) - 1; i >= 0 && a.front[i].Return.Time >= g.Invoke.Time; i-- {
		if o := a.front[i]; o.Token.V > g.Token.V && !before(o, g) {
			return o
		}
	}
	return nil
}

// neverHeld notes a grant that returned to a client that had been killed.
func (a *arrivals) neverHeld(g *grant) { a.unheld = append(a.unheld, g) }

// forget notes that the grant, if it did not arrive yet, never will.
func (a *arrivals) forget(g *grant) {
	if g.arrived != 0 {
		return
	}
	a.away = without(a.away, g)
	a.unheld = without(a.unheld, g)
}
