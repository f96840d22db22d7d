package measure

// Cut is a time that a timeline leaves out: between two phases, as a rule because other locks were measured alone.
// The zero value is none.
type Cut struct{ From, To int64 }

// worthCutting is the part of a test that a time must be to be left out.
const worthCutting = 4 // one in

// cutWatch finds the longest time between two phases, less that in which what had been asked for was still granted,
// or given up.
type cutWatch struct {
	longest Cut
}

// phaseBegins takes the time since the phase before.
func (w *cutWatch) phaseBegins(p *pass, at int64) {
	if len(p.phases) == 0 {
		return
	}
	c := Cut{p.phases[len(p.phases)-1].End, at}
	if c.From = max(c.From, p.active); c.Long() > w.longest.Long() {
		w.longest = c
	}
}

// worth is the cut, if it is a part of the length that is worth leaving out.
func (w *cutWatch) worth(length int64) Cut {
	if w.longest.Long() < length/worthCutting {
		return Cut{}
	}
	return w.longest
}

// Long is how long it is, in nanoseconds.
func (c Cut) Long() int64 { return max(0, c.To-c.From) }

// Squeeze is where a time is if the cut takes none.
func (c Cut) Squeeze(at int64) int64 {
	switch {
	case at <= c.From:
		return at
	case at < c.To:
		return c.From
	default:
		return at - c.Long()
	}
}
