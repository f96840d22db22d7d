package checker

// tokenHistory is what is remembered of the tokens of one lock.
type tokenHistory struct {
	// highest is the grant with the highest token of those that returned before now; own likewise for each process,
	// if they are on several hosts: then only a process's own grants are known to have returned before.
	highest *grant
	own     map[*process]*grant
	// first is, for a token, the grant that returned first with it: for the recent ones, a ring of which next is the
	// oldest. Any other that was seen is at most forgotten.
	first     map[uint64]*grant
	recent    []uint64
	next      int
	forgot    bool
	forgotten uint64
}

// tokensBefore notes the grant with the highest token of those that returned before g is asked for.
func (s *sweep) tokensBefore(g *grant) {
	if s.hosts {
		g.above = g.lock.tokens.own[g.process]
		return
	}
	g.above = g.lock.tokens.highest
	if own := s.tick.own[ownLock{g.process, g.lock}]; own != nil { // of its own process the lines tell the order
		g.above = higher(g.above, own)
	}
}

// ownLock is a lock in the eyes of one process.
type ownLock struct {
	process *process
	lock    *lock
}

// tokensAfter notes a grant that returned before now.
func (s *sweep) tokensAfter(g *grant) {
	t := &g.lock.tokens
	switch {
	case !g.Token.Set, g.outer != nil && g.outer.Token == g.Token:
	case !s.hosts:
		t.highest = higher(t.highest, g)
	default:
		if t.own == nil {
			t.own = map[*process]*grant{}
		}
		t.own[g.process] = higher(t.own[g.process], g)
	}
}

// checkToken counts the grant if its token is not above that of every grant that returned before it was asked for, or
// equals that of one that returned earlier. Locks without tokens have none. Of those that returned at the same time
// with the same token all but one count. That is one that no other grant convicts, if there is such a one.
func (s *sweep) checkToken(g *grant) {
	if !g.Token.Set || g.outer != nil && g.outer.Token == g.Token {
		return // it has none, or the one that its process holds the lock by
	}
	if !s.hosts {
		key := ownLock{g.process, g.lock}
		s.tick.own[key] = higher(s.tick.own[key], g)
	}
	rivals := []*grant{g}
	if g.above != nil && g.above.Token.V >= g.Token.V {
		rivals = append(rivals, g.above)
		g.regressed = true
	}
	if same := s.firstWithToken(g); same != g && same != g.above {
		if same.regressed && !g.regressed && (s.hosts || same.Return.Time == g.Return.Time) {
			g.lock.tokens.first[g.Token.V] = g
			s.incidents.link(same, g)
		} else {
			rivals = append(rivals, same)
		}
	}
	g.above = nil
	if len(rivals) == 1 {
		return
	}
	s.counts.TokenRegression++
	s.incidents.add(&finding{
		kind: regressionKind, grants: rivals, at: g.Return.Time, until: g.Return.Time, order: [2]uint64{uint64(g.Invoke.Time), uint64(g.Invoke.Line)},
	})
}

// firstWithToken finds the grant that returned first with g's token: g itself if none did before.
func (s *sweep) firstWithToken(g *grant) *grant {
	t, v := &g.lock.tokens, g.Token.V
	if first, ok := t.first[v]; ok {
		return first
	}
	key := lockToken{g.lock.name, v}
	keep := s.retain.all || s.retain.tokens[key]
	if !keep && t.forgot && v <= t.forgotten {
		s.retain.missToken(key)
	}
	if t.first == nil {
		t.first = map[uint64]*grant{}
	}
	t.first[v] = g
	switch {
	case keep:
	case len(t.recent) < s.retain.newest:
		t.recent = append(t.recent, v)
	default:
		old := t.recent[t.next]
		delete(t.first, old)
		t.forgotten, t.forgot = max(t.forgotten, old), true
		t.recent[t.next] = v
		t.next = (t.next + 1) % s.retain.newest
	}
	return g
}

// higher is the grant with the higher token, a if they are equal; either may be nil.
func higher(a, b *grant) *grant {
	if a == nil || b != nil && b.Token.V > a.Token.V {
		return b
	}
	return a
}
