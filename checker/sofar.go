package checker

import (
	"cmp"
	"slices"
)

// SoFar is what the lines that a Stream was fed show. It is provisional: while lines are still to come a client may
// turn out to have died, or to have given a lock up, before somebody else was granted it.
type SoFar struct {
	// Begin is the first time in the history.
	Begin int64
	// Violations are the first of each incident, and then, as Provisional, one overlap for each hold that may still
	// be open although another has begun.
	Violations []Violation
	// Undecided is how many holds began while it was not certain that another was open.
	Undecided int
	Counts    Counts
}

// SoFar tells what is known by now. The Stream goes on.
func (s *Stream) SoFar() SoFar {
	known := SoFar{Begin: s.sweep.begin, Undecided: s.sweep.undecided, Counts: s.sweep.counts}
	var seeming []*finding
	seem := func(g, next *grant) {
		if g.decided || next == nil || g.givenUp().Exists() && g.givenUp().Line < next.Return.Line {
			return
		}
		f := overlapOf([]*grant{next, g}, max(next.Return.Time, min(next.knownEnd(), g.knownEnd())))
		f.provisional = true
		seeming = append(seeming, f)
	}
	for _, l := range s.sweep.locks {
		q := l.overlaps.grants[l.overlaps.head:]
		for i := 1; i < len(q); i++ {
			seem(q[i-1], q[i])
		}
	}
	for _, g := range s.sweep.silent {
		seem(g, g.follower)
	}
	certain := s.sweep.incidents.firsts()
	for _, found := range [][]*finding{certain, seeming} {
		slices.SortFunc(found, func(a, b *finding) int {
			return cmp.Or(a.compare(b), compareGrants(a.grants[1].id(), b.grants[1].id()))
		})
		for _, f := range found {
			known.Violations = append(known.Violations, f.violation())
		}
	}
	return known
}
