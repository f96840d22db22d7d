package checker

import (
	"fmt"
	"slices"
)

// overlapping is a hold that began while others may have been open. It is decided when all of them have ended.
type overlapping struct {
	second *grant
	// others began before it, and were not given up yet, in the order in which they began.
	others []*grant
	open   int // how many of them all are not decided
}

// beginHold notes a hold that begins. Most begin alone.
func (s *sweep) beginHold(g *grant) {
	if s.hosts {
		return // it takes a clock to see it
	}
	var others []*grant
	for _, o := range g.lock.live {
		if o.decided || o.givenUp().Exists() {
			continue
		}
		if len(o.awaited) >= s.retain.watched && o.process != g.process && o.knownEnd() < s.now && !s.retain.retains(o) {
			o.unwatched = min(o.unwatched, s.now)
			continue
		}
		others = append(others, o)
	}
	if len(others) == 0 {
		return
	}
	o := &overlapping{second: g, others: others, open: 1 + len(others)}
	s.undecided[o] = true
	g.awaited = append(g.awaited, o)
	for _, other := range others {
		other.awaited = append(other.awaited, o)
	}
}

// resolve counts the hold if it began while another was open: of the same client or not. Of those open by the
// clock the one that ended last stands for all. They overlap each other, so they are marked already, and joined to each other.
//
// At equal times an end goes before a begin, so that a hold without length overlaps only what is open around it. Of two
// that begin at the same time and go on, one certainly began while the other was open: the second line counts.
// Within a process the lines tell the order at equal times too.
func (s *sweep) resolve(o *overlapping) {
	delete(s.undecided, o)
	second, at := o.second, o.second.Return.Time
	if !second.held() {
		return
	}
	var first, own *grant
	for _, g := range o.others {
		if !g.held() {
			continue
		}
		if g.end > at && (second.end > at || g.Return.Time < at) && (first == nil || g.end > first.end) {
			first = g
		}
		// It was not given up before second returned, so by the order of their process it was open.
		if g.process == second.process && (own == nil || own.givenUp().Exists() && (!g.givenUp().Exists() || g.givenUp().Line > own.givenUp().Line)) {
			own = g
		}
	}
	grants := slices.DeleteFunc([]*grant{second, first, own}, func(g *grant) bool { return g == nil })
	if grants = slices.Compact(grants); len(grants) == 1 {
		return
	}
	for _, g := range grants {
		g.overlapped = true
	}
	first = grants[1]
	s.counts.Overlap++
	s.incidents.add(finding{
		kind: overlapKind, grants: grants, at: at, until: min(first.end, second.end), order: [2]uint64{uint64(at), uint64(second.Return.Line)},
		explain: func(at clock) string { return explainOverlap(second, first, at) },
	})
}

func explainOverlap(second, first *grant, at clock) string {
	b, a := names(second, first)
	return fmt.Sprintf("%s was granted %s at %s while %s, granted it at %s, still held it",
		b, quoted(second.lock), at(second.Return), a, at(first.Return))
}
