package explain

import (
	"cmp"
	"slices"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
)

// What ends a hold.
const (
	released  = "release"
	abandoned = "abandon"
	killed    = "kill"
	lastLine  = "last line"
)

// party is a grant of an incident.
type party struct {
	*history.Grant
	id      checker.GrantID
	span    *span
	end     int64
	endedBy string
	held    bool
}

// scene is one incident with all lines of its grants.
type scene struct {
	*gathered
	lock    string
	lines   []line
	parties []*party // in the order in which they were granted
	of      map[*history.Grant]*party
	history *history.History // of lines, versions counted anew
}

// newScene is not ok if the incident is too large, the lines of its grants do not fit together, or there is no clock by which
// to say what was before what.
func newScene(g *gathered, in checker.Incident) (*scene, bool) {
	if len(in.Grants) > MaxGrants || g.hosts {
		return nil, false
	}
	s := &scene{gathered: g, lock: in.Lock, of: map[*history.Grant]*party{}}
	for _, id := range in.Grants {
		s.lines = append(s.lines, g.grants[id]...)
	}
	sortLines(s.lines)
	h, err := history.Parse(renumber(s.lines))
	if err != nil {
		return nil, false
	}
	s.history = h
	for _, hg := range h.Grants {
		if hg.Outcome == history.OK {
			p := g.newParty(hg)
			s.parties = append(s.parties, p)
			s.of[hg] = p
		}
	}
	slices.SortFunc(s.parties, func(a, b *party) int { return compareStamps(a.Return, b.Return) })
	return s, true
}

func compareStamps(a, b history.Stamp) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Line, b.Line))
}

func sortLines(lines []line) {
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.n, b.n) })
}

// party takes one grant apart by itself.
func (g *gathered) party(id checker.GrantID) (*party, bool) {
	h, err := history.Parse(renumber(g.grants[id]))
	if err != nil || len(h.Grants) != 1 || h.Grants[0].Outcome != history.OK {
		return nil, false
	}
	return g.newParty(h.Grants[0]), true
}

// newParty finds when the grant's hold ended, and by what.
func (g *gathered) newParty(hg *history.Grant) *party {
	p := &party{
		Grant: hg, id: checker.GrantID{Process: hg.Process.N, Grant: hg.N},
		span: g.processes[hg.Process.N],
	}
	last, next := g.life(p.span)
	p.end, p.endedBy = last, lastLine
	if up := p.givenUp(); up.Exists() {
		p.end, p.endedBy = up.Time, released
		if up == hg.Abandon {
			p.endedBy = abandoned
		}
		next = never
	}
	p.held = true
	if k, ok := g.kill(p.span); ok {
		p.held = hg.Return.Time < k.op.Time
		if p.endedBy == lastLine && k.op.Time < next || k.op.Time < p.end {
			p.end, p.endedBy = k.op.Time, killed
		}
	}
	return p
}

// givenUp is the line by which the worker gave the grant up, if there is one.
func (p *party) givenUp() history.Stamp {
	if p.Abandon.Exists() && (!p.Release.Exists() || p.Abandon.Line < p.Release.Line) {
		return p.Abandon
	}
	return p.Release
}

// covers reports whether the line s of p's own process stands before the end of its hold.
func (p *party) covers(s history.Stamp) bool {
	up := p.givenUp()
	return p.held && s.Time <= p.end && (p.endedBy != killed || s.Time < p.end) && (!up.Exists() || s.Line < up.Line)
}

// original is the line as the history has it, versions and all.
func (s *scene) original(at history.Stamp) *history.Op { return &s.lines[at.Line-1].op }

func (p *party) grant() Grant {
	return Grant{
		GrantID: p.id, Client: p.span.client, From: p.Return.Time, To: p.end,
		Token: number(p.Token), EndedBy: p.endedBy,
	}
}

// number is nil for a number that is absent.
func number(u history.Uint) *uint64 {
	if !u.Set {
		return nil
	}
	return &u.V
}
