package checker

import (
	"slices"

	"github.com/lockbench/lockbench/internal/history"
)

// SoFar is what the lines that a Stream was fed show. It is provisional: while lines are still to come a client may turn out
// to have died, or to have given a lock up, before somebody else was granted it.
type SoFar struct {
	// Violations are in words: the incidents, and then one for each hold that may still be open although another has begun.
	Violations []string
	// Undecided is how many holds began while it was not certain that another was open.
	Undecided int
	Counts    Counts
}

// Seemingly ends a violation that may turn out to be none.
const Seemingly = ", as it seems"

// SoFar tells what is known by now. The Stream goes on.
func (s *Stream) SoFar() SoFar {
	at := func(at history.Stamp) string { return seconds(at.Time - s.sweep.begin) }
	known := SoFar{Undecided: len(s.sweep.undecided), Counts: s.sweep.counts}
	for _, i := range s.sweep.incidents.list(at) {
		known.Violations = append(known.Violations, i.Explanation)
	}
	second := map[*grant]*grant{} // the first that began while the hold was open
	for o := range s.sweep.undecided {
		for _, g := range o.others {
			if s := second[g]; s == nil || o.second.Return.Line < s.Return.Line {
				second[g] = o.second
			}
		}
	}
	var seeming []string
	for g, s := range second {
		if !g.decided {
			seeming = append(seeming, explainOverlap(s, g, at)+Seemingly)
		}
	}
	slices.Sort(seeming)
	known.Violations = append(known.Violations, seeming...)
	return known
}
