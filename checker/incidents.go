package checker

import (
	"cmp"
	"slices"
)

// incidents are the connected sets of the grants that took part in violations: a union-find.
type incidents struct{ all []*group }

// group is one connected set, or was.
type group struct {
	into       *group // the one that it became part of
	lock       *lock
	begin, end int64
	counts     [kinds]int
	grants     []GrantID
	found      []*finding // the first KeptViolations of each kind, in their order
}

// root finds the set that the group became part of, and halves the path to it.
func (g *group) root() *group {
	for g.into != nil {
		if g.into.into != nil {
			g.into = g.into.into
		}
		g = g.into
	}
	return g
}

func (in *incidents) add(f *finding) {
	var set *group
	for _, g := range f.grants {
		if g.incident == nil {
			continue
		}
		if root := g.incident.root(); set == nil {
			set = root
		} else {
			set = set.join(root)
		}
	}
	if set == nil {
		set = &group{lock: f.grants[0].lock, begin: f.at, end: f.until}
		in.all = append(in.all, set)
	}
	set.begin, set.end = min(set.begin, f.at), max(set.end, f.until)
	set.counts[f.kind]++
	set.keep(f)
	for _, g := range f.grants {
		if g.incident == nil {
			set.grants = append(set.grants, g.id())
		}
		g.incident = set
	}
}

// link joins a grant to the set of another, which is in one.
func (in *incidents) link(to, g *grant) {
	set := to.incident.root()
	if g.incident == nil {
		set.grants = append(set.grants, g.id())
		g.incident = set
		return
	}
	set.join(g.incident.root())
}

// join makes one set of two, and returns it.
func (g *group) join(o *group) *group {
	if g == o {
		return g
	}
	if len(g.grants) < len(o.grants) {
		g, o = o, g
	}
	g.begin, g.end = min(g.begin, o.begin), max(g.end, o.end)
	for k, n := range o.counts {
		g.counts[k] += n
	}
	g.grants = append(g.grants, o.grants...)
	for _, f := range o.found {
		g.keep(f)
	}
	o.into, o.grants, o.found = g, nil, nil
	return g
}

// keep keeps the finding if it is among the first of its kind.
func (g *group) keep(f *finding) {
	at, _ := slices.BinarySearchFunc(g.found, f, (*finding).compare)
	g.found = slices.Insert(g.found, at, f)
	n := 0
	g.found = slices.DeleteFunc(g.found, func(o *finding) bool {
		if o.kind == f.kind {
			n++
		}
		return o.kind == f.kind && n > KeptViolations
	})
}

// incident is the group as far as it is known now.
func (g *group) incident() Incident {
	in := Incident{Lock: g.lock.name, Grants: slices.SortedFunc(slices.Values(g.grants), compareGrants), Begin: g.begin, End: g.end, Violations: make([]Violation, len(g.found))}
	for i, f := range g.found {
		in.Violations[i] = f.violation()
	}
	in.Unlisted = -len(g.found)
	for k, n := range g.counts {
		if n > 0 {
			in.Kinds = append(in.Kinds, kind(k).String())
		}
		if kind(k) != delayedKind { // those are stale writes
			in.Unlisted += n
		}
	}
	slices.Sort(in.Kinds)
	return in
}

// firsts are the first findings of each incident, in no order.
func (in *incidents) firsts() []*finding {
	var all []*finding
	for _, g := range in.all {
		if g.into == nil {
			all = append(all, g.found[0])
		}
	}
	return all
}

// list lists the incidents in the order in which they began.
func (in *incidents) list() []Incident {
	all := []Incident{}
	for _, g := range in.all {
		if g.into == nil {
			all = append(all, g.incident())
		}
	}
	slices.SortFunc(all, func(a, b Incident) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), compareGrants(a.Grants[0], b.Grants[0]))
	})
	return all
}

func compareGrants(a, b GrantID) int {
	return cmp.Or(cmp.Compare(a.Process, b.Process), cmp.Compare(a.Grant, b.Grant))
}
