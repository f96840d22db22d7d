package checker

import (
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/internal/history"
)

// tokenRegression counts the grants whose token is not above that of every grant that returned before they were
// asked for, or equals that of one that returned earlier. Locks without tokens have none.
type tokenRegression struct{}

// Name implements Checker.
func (tokenRegression) Name() string { return "token_regression" }

// check sweeps the grants as they were asked for, and behind them those that had returned by then, of which the one with
// the highest token stands for all.
func (c tokenRegression) check(l *lock, f *findings) {
	returned := slices.DeleteFunc(slices.Clone(l.grants), func(g *grant) bool { return !g.Token.Set })
	asked := slices.Clone(returned)
	slices.SortFunc(asked, func(a, b *grant) int { return compareStamps(a.Invoke, b.Invoke) })
	first := firstWithToken(returned)
	own := map[*history.Process]*grant{} // the highest of a process so far
	var highest *grant
	next := 0
	for _, g := range asked {
		for ; next < len(returned) && returned[next].Return.Time < g.Invoke.Time; next++ {
			highest = higher(highest, returned[next])
		}
		above := higher(highest, own[g.Process])
		own[g.Process] = higher(own[g.Process], g)
		rivals := []*grant{g}
		if above != nil && above.Token.V >= g.Token.V {
			rivals = append(rivals, above)
		}
		if same := first[g.Token.V]; same != g && same != above {
			rivals = append(rivals, same)
		}
		if len(rivals) > 1 {
			c.report(l, f, rivals)
		}
	}
}

// report reports the first of the grants, whose token one or two others contradict.
func (c tokenRegression) report(l *lock, f *findings, grants []*grant) {
	f.counts.TokenRegression++
	g, other := grants[0], grants[1]
	f.add(finding{
		kinds: []string{c.Name()}, grants: grants, at: g.Return.Time, until: g.Return.Time,
		explain: func() string {
			second, first := names(g, other)
			return fmt.Sprintf("%s was granted %s at %s with token %d, although %s had been granted it at %s with token %d",
				second, quoted(l), f.at(g.Return), g.Token.V, first, f.at(other.Return), other.Token.V)
		},
	})
}

// higher is the grant with the higher token, a if they are equal; either may be nil.
func higher(a, b *grant) *grant {
	if a == nil || b != nil && b.Token.V > a.Token.V {
		return b
	}
	return a
}

// firstWithToken finds for each token the grant that returned first with it. Of two that returned at the same
// time one was the second, so one of them counts.
func firstWithToken(returned []*grant) map[uint64]*grant {
	first := make(map[uint64]*grant, len(returned))
	for _, g := range returned {
		if _, ok := first[g.Token.V]; !ok {
			first[g.Token.V] = g
		}
	}
	return first
}
