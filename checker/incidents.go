package checker

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/history"
)

// findings collects what the checkers find in one history.
type findings struct {
	counts Counts
	all    []finding
	begin  int64 // of the history
	// parent is a union-find over the history's acquires, by index.
	parent []int
}

// finding is one violation, and joins the grants that took part in it.
type finding struct {
	kinds     []string
	grants    []*grant // the one that is counted first
	at, until int64
	// explain says in a sentence what happened. It is only asked for the first of an incident.
	explain func() string
}

func newFindings(m *model) *findings {
	f := &findings{begin: m.begin, parent: make([]int, len(m.grants))}
	for i := range f.parent {
		f.parent[i] = i
	}
	return f
}

func (f *findings) add(v finding) {
	f.all = append(f.all, v)
	for _, g := range v.grants[1:] {
		a, b := f.root(v.grants[0].Index), f.root(g.Index)
		// The lower root wins, so that the outcome does not depend on the order of findings.
		f.parent[max(a, b)] = min(a, b)
	}
}

// root finds the representative of a set, and halves the path to it.
func (f *findings) root(i int) int {
	for f.parent[i] != i {
		f.parent[i] = f.parent[f.parent[i]]
		i = f.parent[i]
	}
	return i
}

// incidents groups the findings into connected sets of grants, in the order in which they began.
func (f *findings) incidents() []Incident {
	type group struct {
		incident Incident
		first    finding
	}
	groups := map[int]*group{}
	var order []*group
	for _, v := range f.all {
		root := f.root(v.grants[0].Index)
		g, ok := groups[root]
		if !ok {
			g = &group{incident: Incident{Lock: v.grants[0].Lock, Begin: v.at, End: v.until}, first: v}
			groups[root] = g
			order = append(order, g)
		}
		if v.at < g.first.at {
			g.first = v
		}
		in := &g.incident
		in.Begin, in.End = min(in.Begin, v.at), max(in.End, v.until)
		in.Kinds = append(in.Kinds, v.kinds...)
		for _, member := range v.grants {
			in.Grants = append(in.Grants, GrantID{Process: member.Process.N, Grant: member.N})
		}
	}
	all := make([]Incident, 0, len(order))
	for _, g := range order {
		g.incident.Kinds = sortedSet(g.incident.Kinds, cmp.Compare)
		g.incident.Grants = sortedSet(g.incident.Grants, compareGrants)
		g.incident.Explanation = g.first.explain()
		all = append(all, g.incident)
	}
	slices.SortFunc(all, func(a, b Incident) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), compareGrants(a.Grants[0], b.Grants[0]))
	})
	return all
}

func sortedSet[T comparable](s []T, compare func(a, b T) int) []T {
	slices.SortFunc(s, compare)
	return slices.Clip(slices.Compact(s))
}

func compareGrants(a, b GrantID) int {
	return cmp.Or(cmp.Compare(a.Process, b.Process), cmp.Compare(a.Grant, b.Grant))
}

// names tells two grants apart in as few words as that takes.
func names(a, b *grant) (string, string) {
	name := func(g *grant) string {
		switch {
		case a.Process.Client != b.Process.Client:
			return g.Process.Client
		case a.Process != b.Process:
			return fmt.Sprintf("%s (process %d)", g.Process.Client, g.Process.N)
		default:
			return fmt.Sprintf("%s (process %d, grant %d)", g.Process.Client, g.Process.N, g.N)
		}
	}
	return name(a), name(b)
}

func quoted(l *lock) string { return "`" + l.name + "`" }

// at writes when a line was, from the history's first one.
func (f *findings) at(s history.Stamp) string { return seconds(s.Time - f.begin) }

// seconds writes nanoseconds with four digits.
func seconds(ns int64) string {
	s := float64(ns) / 1e9
	decimals := 3
	if s > 0 {
		decimals = min(9, max(0, 3-int(math.Floor(math.Log10(s)))))
	}
	text := strconv.FormatFloat(s, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text + " s"
}
