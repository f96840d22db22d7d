package report

import "github.com/lockbench/lockbench/checker"

// cut is a time that a timeline leaves out: between two phases, as a rule because other locks were measured alone. The zero value is
// none.
type cut struct{ from, to int64 }

// worthCutting is the part of a test that a time must be to be left out.
const worthCutting = 4 // one in

// findCut finds the longest time between two phases, less that in which what had been asked for was still granted, or given up.
func findCut(begin, end int64, phases []PhaseMeasure, attempts []acquire, all []checker.Hold) cut {
	var longest cut
	for i := range phases[:max(0, len(phases)-1)] {
		c := cut{phases[i].End, phases[i+1].Begin}
		for _, a := range attempts {
			if a.end > c.from && a.end < c.to {
				c.from = a.end
			}
			if a.givenUp > c.from && a.givenUp < c.to {
				c.from = a.givenUp
			}
		}
		for j := range all {
			if h := &all[j]; h.Held && h.End > c.from && h.End < c.to {
				c.from = h.End
			}
		}
		if c.long() > longest.long() {
			longest = c
		}
	}
	if longest.long() < (end-begin)/worthCutting {
		return cut{}
	}
	return longest
}

func (c cut) long() int64 { return max(0, c.to-c.from) }

// squeeze is where a time is if the cut takes none.
func (c cut) squeeze(at int64) int64 {
	switch {
	case at <= c.from:
		return at
	case at < c.to:
		return c.from
	default:
		return at - c.long()
	}
}
