package explain

import (
	"cmp"
	"slices"

	"github.com/lockbench/lockbench/internal/history"
)

// The kinds of violations, as checker.Incident has them.
const (
	overlap     = "overlap"
	interleaved = "interleaved"
	regression  = "token_regression"
	stale       = "stale_write"
	delayed     = "stale_delayed"
	lost        = "lost_update"
)

// found is a violation with what the words need.
type found struct {
	Violation
	by, against *party
	until       int64
	// turns are the three requests of an interleaved pair; write is that of a stale write or a lost update, and
	// earlier the request that came before it and should have come after.
	turns          [3]*history.Request
	write, earlier *history.Request
}

// violations finds the first violation of each of the kinds, in the order of their times. What is a violation is the checker's to
// say: each is proposed here, and counts only if checker.Check finds it in a history of its two grants alone.
func (s *scene) violations(kinds []string) []found {
	var all []found
	for _, search := range []struct {
		kind string
		find func(propose func(found) bool)
	}{
		{overlap, s.overlaps}, {interleaved, s.interleavings}, {regression, s.regressions}, {stale, s.staleWrites}, {lost, s.lostUpdates},
	} {
		if !slices.Contains(kinds, search.kind) {
			continue
		}
		search.find(func(v found) bool {
			v.Kind, v.By, v.Against = search.kind, v.by.id, v.against.id
			shown, classes := s.shown(&v)
			if !shown {
				return false
			}
			v.Delayed = slices.Contains(classes, delayed) && slices.Contains(kinds, delayed) && !s.overlapped(v.by)
			all = append(all, v)
			return true
		})
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(a.At, b.At) })
	return all
}

// overlapped reports whether any hold overlapped the party's.
func (s *scene) overlapped(p *party) bool {
	return slices.ContainsFunc(s.parties, func(q *party) bool {
		return q != p && p.held && q.held && q.Return.Time < p.end && p.Return.Time < q.end
	})
}

// overlaps proposes each hold that began while others were open, with the one of these that ended last.
func (s *scene) overlaps(propose func(found) bool) {
	for i, b := range s.parties {
		var longest *party
		for _, a := range s.parties[:i] {
			open := a.end > b.Return.Time && (a.Return.Time < b.Return.Time || b.end > b.Return.Time)
			if a.Process == b.Process {
				open = a.covers(b.Return)
			}
			if a.held && open && (longest == nil || a.end > longest.end) {
				longest = a
			}
		}
		if longest != nil && b.held && propose(found{
			Violation: Violation{At: b.Return.Time}, by: b, against: longest, until: min(longest.end, b.end),
		}) {
			return
		}
	}
}

// interleavings proposes the pairs of unordered grants with requests A … B … A, as the second of them comes in.
func (s *scene) interleavings(propose func(found) bool) {
	type turn struct {
		party       *party
		first, last *history.Request
	}
	of := map[*party]*turn{}
	var turns []*turn
	for _, r := range s.history.Sequenced {
		p := s.of[r.Grant]
		if r.Outcome != history.OK && r.Outcome != history.Fail || !p.covers(r.Answer) {
			continue
		}
		t, ok := of[p]
		if !ok {
			t = &turn{party: p, first: r}
			of[p] = t
			turns = append(turns, t)
		}
		t.last = r
	}
	var open []*turn
	for _, b := range turns {
		open = slices.DeleteFunc(open, func(a *turn) bool { return a.last.Seq < b.first.Seq })
		for _, a := range open {
			if !later(a.party, b.party) && !later(b.party, a.party) && propose(found{
				Violation: Violation{At: b.first.Served.Time}, by: b.party, against: a.party,
				until: min(a.last.Served.Time, b.last.Served.Time), turns: [3]*history.Request{a.first, b.first, a.last},
			}) {
				return
			}
		}
		open = append(open, b)
	}
}

// regressions proposes each grant with the highest token that came before it and is not lower, or with the first equal one.
func (s *scene) regressions(propose func(found) bool) {
	for i, b := range s.parties {
		var rival *party
		for j, a := range s.parties {
			if a == b || !a.Token.Set || !b.Token.Set || a.Token.V < b.Token.V {
				continue
			}
			if !before(a, b) && (a.Token != b.Token || j > i) {
				continue
			}
			if rival == nil || a.Token.V > rival.Token.V {
				rival = a
			}
		}
		if rival != nil && propose(found{
			Violation: Violation{At: b.Return.Time}, by: b, against: rival, until: b.Return.Time,
		}) {
			return
		}
	}
}

// staleWrites proposes each write that was applied after a request of a later grant, with the latest of these. Whether one grant
// is later than another is asked once for each two.
func (s *scene) staleWrites(propose func(found) bool) {
	var seen []*history.Request // the first of each grant that was served
	arrived := map[*history.Grant]bool{}
	none := map[*history.Grant]int{} // so many of seen are not later than it
	for _, r := range s.history.Sequenced {
		if r.Rejected {
			continue
		}
		isLater := func(q *history.Request) bool { return later(s.of[q.Grant], s.of[r.Grant]) }
		if r.F == history.Write && !slices.ContainsFunc(seen[none[r.Grant]:], isLater) {
			none[r.Grant] = len(seen)
		} else if r.F == history.Write {
			rivals := slices.DeleteFunc(slices.Clone(seen), func(q *history.Request) bool { return !isLater(q) })
			slices.SortStableFunc(rivals, func(a, b *history.Request) int { return compareStamps(b.Grant.Invoke, a.Grant.Invoke) })
			for _, q := range rivals {
				if propose(found{
					Violation: Violation{At: r.Served.Time, Version: number(s.original(r.Served).Version), Base: number(s.base(r))},
					by:        s.of[r.Grant], against: s.of[q.Grant], until: r.Served.Time, write: r, earlier: q,
				}) {
					return
				}
			}
		}
		if !arrived[r.Grant] {
			arrived[r.Grant] = true
			seen = append(seen, r)
		}
	}
}

// lostUpdates proposes each write whose base was no longer the version, with the write that it overwrote.
func (s *scene) lostUpdates(propose func(found) bool) {
	var last *history.Request
	for _, r := range s.history.Sequenced {
		if r.F != history.Write || r.Rejected {
			continue
		}
		if last != nil && r.Base.V+1 != r.Version.V && propose(found{
			Violation: Violation{
				At: r.Served.Time, Version: number(s.original(r.Served).Version), Base: number(s.base(r)),
				Overwrote: number(s.original(last.Served).Version),
			},
			by: s.of[r.Grant], against: s.of[last.Grant], until: r.Served.Time, write: r, earlier: last,
		}) {
			return
		}
		last = r
	}
}

// base is what a write was based on, as the history has it.
func (s *scene) base(r *history.Request) history.Uint { return s.original(r.Invoke).Base }

// before reports whether a's acquire had returned before b's was invoked.
func before(a, b *party) bool {
	if a.Process == b.Process {
		return a.N < b.N
	}
	return a.Return.Time < b.Invoke.Time
}

// later reports whether b is a later grant than a, as docs/history.md defines it.
func later(b, a *party) bool {
	switch {
	case before(a, b):
		return true
	case before(b, a):
		return false
	default:
		return a.Token.Set && b.Token.Set && b.Token.V > a.Token.V
	}
}
