package explain

import (
	"cmp"
	"slices"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// unit is what is taken out of a history as a whole: a call with its end and what the resource wrote of it, or a
// grant with all its calls. What ended a grant's hold belongs to the grant: without it, the hold would seem to have
// lasted longer.
type unit struct {
	grant   checker.GrantID
	request int64 // of a request
	from    int   // of any other call: the number of its first line
	kept    bool  // must stay
	lines   []line
}

// whole reports whether the unit is a grant's own.
func (u *unit) whole() bool { return u.request == 0 && u.from == 0 }

// minimal finds the smallest set of lines that shows the violation: beginning with its two grants, whatever is not
// needed is taken out, as long as anything can be. It returns the numbers of the lines, and the history of them.
//
// As in delta debugging, much is tried at once before little is: of n calls of which k are needed it takes O(k log n
// + k²) checks.
func (g *gathered) minimal(v *checker.Violation) ([]int, []history.Op) {
	units := g.units(v)
	shown, delayed := shows(units, v)
	if !shown {
		return []int{}, nil
	}
	for size := max(1, len(units)/2); ; size = max(1, size/2) {
		again := false
		for end := len(units); end > 0; end = min(end-size, len(units)) {
			fewer := without(units, max(0, end-size), end)
			if len(fewer) == len(units) {
				continue
			}
			if shown, late := shows(fewer, v); shown && late == delayed {
				units, again = fewer, true
			}
		}
		if size == 1 && !again {
			break
		}
	}
	lines := joined(units)
	numbers := make([]int, len(lines))
	for i, l := range lines {
		numbers[i] = l.n
	}
	return numbers, renumber(lines)
}

// units are the calls of the violation's grants, and of those that show that a client lived, and the kills that ended
// holds. They are ordered so that what a reader misses most is taken out last.
func (g *gathered) units(v *checker.Violation) []unit {
	var all []unit
	done := map[checker.GrantID]bool{}
	kills := map[int]bool{}
	for _, p := range []*checker.Grant{&v.By, &v.Against} {
		for _, id := range append([]checker.GrantID{p.GrantID}, g.witnesses(p)...) {
			if !done[id] {
				done[id] = true
				all = append(all, calls(id, g.grants[id], id == v.By.GrantID || id == v.Against.GrantID)...)
			}
		}
		if k, ok := g.kill(p); ok && k.op.Time <= p.To && !kills[k.n] {
			kills[k.n] = true
			all = append(all, unit{from: k.n, kept: true, lines: []line{k}})
		}
	}
	slices.SortStableFunc(all, func(a, b unit) int { return cmp.Compare(rank(&a), rank(&b)) })
	return all
}

func rank(u *unit) int {
	switch {
	case u.kept:
		return 0
	case u.whole():
		return 1
	default:
		return 2
	}
}

// calls takes the lines of a grant apart.
func calls(id checker.GrantID, lines []line, kept bool) []unit {
	own := unit{grant: id, kept: kept}
	requests := map[int64]*unit{}
	var others, release *unit
	all := []*unit{}
	ended := false // the hold was given up
	for _, l := range lines {
		switch l.op.F {
		case history.Acquire:
			own.lines = append(own.lines, l)
		case history.Read, history.Write:
			u, ok := requests[l.op.Request]
			if !ok {
				u = &unit{grant: id, request: l.op.Request}
				requests[l.op.Request] = u
				all = append(all, u)
			}
			u.lines = append(u.lines, l)
		case history.Release:
			if l.op.Type == history.Invoke {
				if release = &own; ended {
					release = &unit{grant: id, from: l.n}
					all = append(all, release)
				}
				ended = true
			}
			if release != nil {
				release.lines = append(release.lines, l)
			}
		default:
			if others = (&unit{grant: id, from: l.n}); l.op.F == history.Abandon && !ended {
				others, ended = &own, true
			} else {
				all = append(all, others)
			}
			others.lines = append(others.lines, l)
		}
	}
	units := []unit{own}
	for _, u := range all {
		units = append(units, *u)
	}
	return units
}

// without leaves out the units from and up to but not to, unless they must stay, and with a grant all its calls.
func without(units []unit, from, to int) []unit {
	gone := map[checker.GrantID]bool{}
	for _, u := range units[from:to] {
		if u.whole() && !u.kept {
			gone[u.grant] = true
		}
	}
	fewer := make([]unit, 0, len(units))
	for i, u := range units {
		if u.kept || (i < from || i >= to) && !gone[u.grant] {
			fewer = append(fewer, u)
		}
	}
	return fewer
}

func joined(units []unit) []line {
	var lines []line
	for _, u := range units {
		lines = append(lines, u.lines...)
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.n, b.n) })
	return lines
}

// shows reports whether the checkers find the violation in the history of the units alone, and whether they call a
// stale write of it delayed. A history in which a hold of its grants lasts longer than it did shows nothing.
func shows(units []unit, v *checker.Violation) (shown, delayed bool) {
	ops := renumber(joined(units))
	h, err := history.Parse(ops)
	if err != nil {
		return false, false
	}
	for _, hold := range checker.Holds(h) {
		id := checker.GrantID{Process: hold.Process.N, Grant: hold.N}
		for _, p := range []*checker.Grant{&v.By, &v.Against} {
			neverHeld := p.EndedBy == checker.ByKill && p.To <= p.From
			if id == p.GrantID && hold.Held && (neverHeld || hold.End > p.To) {
				return false, false
			}
		}
	}
	result, err := checker.Check(ops, checker.Options{})
	if err != nil {
		return false, false
	}
	for _, in := range result.Incidents {
		if slices.Contains(in.Kinds, v.Kind) && slices.Contains(in.Grants, v.By.GrantID) && slices.Contains(in.Grants, v.Against.GrantID) {
			return true, v.Kind == checker.StaleWrite && slices.Contains(in.Kinds, checker.StaleDelayed)
		}
	}
	return false, false
}
