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

// kind is a row of Counts that joins grants, in the order in which violations are told.
type kind int

const (
	overlapKind kind = iota
	interleavedKind
	regressionKind
	staleKind
	delayedKind
	lostKind
	kinds
)

// String is the row's name in files.
func (k kind) String() string {
	return [kinds]string{"overlap", "interleaved", "token_regression", "stale_write", "stale_delayed", "lost_update"}[k]
}

// finding is one violation, and joins the grants that took part in it.
type finding struct {
	kind      kind
	grants    []*grant // the one that is counted first
	at, until int64
	// order is that of findings of one kind that are at the same time.
	order [2]uint64
	// explain says in a sentence what happened. It is only asked for the first of an incident.
	explain func(at clock) string
}

// before reports whether the finding is told before another of its incident.
func (f *finding) before(o *finding) bool {
	return cmp.Or(cmp.Compare(f.at, o.at), cmp.Compare(f.kind, o.kind), cmp.Compare(f.order[0], o.order[0]), cmp.Compare(f.order[1], o.order[1])) < 0
}

// clock writes when a line was, from the history's first one.
type clock func(history.Stamp) string

// incidents are the connected sets of the grants that took part in violations: a union-find.
type incidents struct{ all []*group }

// group is one connected set, or was.
type group struct {
	into       *group // the one that it became part of
	lock       *lock
	begin, end int64
	kinds      [kinds]bool
	grants     []GrantID
	first      finding
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

func (in *incidents) add(f finding) {
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
		set = &group{lock: f.grants[0].lock, begin: f.at, end: f.until, first: f}
		in.all = append(in.all, set)
	}
	set.begin, set.end = min(set.begin, f.at), max(set.end, f.until)
	set.kinds[f.kind] = true
	if f.before(&set.first) {
		set.first = f
	}
	for _, g := range f.grants {
		if g.incident == nil {
			set.grants = append(set.grants, GrantID{Process: g.Process.N, Grant: g.N})
		}
		g.incident = set
	}
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
	for k, is := range o.kinds {
		g.kinds[k] = g.kinds[k] || is
	}
	g.grants = append(g.grants, o.grants...)
	if o.first.before(&g.first) {
		g.first = o.first
	}
	o.into, o.grants, o.first = g, nil, finding{}
	return g
}

// list lists the incidents in the order in which they began.
func (in *incidents) list(at clock) []Incident {
	all := []Incident{}
	for _, g := range in.all {
		if g.into != nil {
			continue
		}
		i := Incident{Lock: g.lock.name, Grants: slices.Clip(g.grants), Begin: g.begin, End: g.end, Explanation: g.first.explain(at)}
		slices.SortFunc(i.Grants, compareGrants)
		for k, is := range g.kinds {
			if is {
				i.Kinds = append(i.Kinds, kind(k).String())
			}
		}
		slices.Sort(i.Kinds)
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b Incident) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), compareGrants(a.Grants[0], b.Grants[0]))
	})
	return all
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
		case a.process != b.process:
			return fmt.Sprintf("%s (process %d)", g.Process.Client, g.Process.N)
		default:
			return fmt.Sprintf("%s (process %d, grant %d)", g.Process.Client, g.Process.N, g.N)
		}
	}
	return name(a), name(b)
}

func quoted(l *lock) string { return "`" + l.name + "`" }

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
