package checker

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// stuckAlways counts the stuck locks of all times in which no fault but a kill is in force.
func (o *oracle) stuckAlways(bound int64) int {
	end := int64(0)
	for _, op := range o.ops {
		end = max(end, op.Time)
	}
	var faults allFaults
	free := make([]bool, end+1) // from each time to the next one
	for now := range free {
		for i := range o.ops {
			if op := &o.ops[i]; op.Process < 0 && op.Time == int64(now) {
				faults.take(op, 0, 0)
			}
		}
		free[now] = !slices.ContainsFunc(faults, func(f *fault) bool { return f.healed == never && f.Name != history.Kill })
	}
	stuck := map[string]bool{}
	for _, op := range o.ops {
		if op.F != history.Acquire || op.Type != history.Invoke || stuck[op.Lock] {
			continue
		}
		held := func(t int64) bool {
			return slices.ContainsFunc(o.grants, func(g *oracleGrant) bool { return g.lock == op.Lock && g.ok <= t && t < g.end() })
		}
		granted := func(t int64) bool {
			return slices.ContainsFunc(o.grants, func(g *oracleGrant) bool { return g.lock == op.Lock && g.ok == t })
		}
		for from := int64(0); from < end; from++ {
			to := from
			for to < end && free[to] && !held(to) && (to == from || !granted(to)) {
				to++
			}
			if o.askedInVain(op.Lock, from, to, bound) {
				stuck[op.Lock] = true
			}
		}
	}
	return len(stuck)
}

// TestGrantedWithinAgainstTheDefinition judges liveness with faults, heals and kills anywhere.
func TestGrantedWithinAgainstTheDefinition(t *testing.T) {
	stuck := 0
	rapid.Check(t, func(t *rapid.T) {
		ops := slices.Clone(drawSteps(t, 20, 40, 80))
		for i := range ops {
			ops[i].Time -= 100 // where a history begins
		}
		bound := int64(rapid.IntRange(1, 8).Draw(t, "bound"))
		r := check(t, ops, Options{GrantedWithin: bound})
		want := newOracle(ops).stuckAlways(bound)
		// Whether a client died before it was killed is known late if another life of it had begun: a lock that was free
		// since may then be missed. None is convicted that was not stuck.
		killed := slices.ContainsFunc(ops, func(op history.Op) bool { return op.F == history.Kill })
		if got := r.Counts.StuckLock; got > want || !killed && got < want || (r.Liveness.Verdict == Invalid) != (got > 0) {
			t.Fatalf("%d stuck locks, want %d; %+v\n%s", r.Counts.StuckLock, want, r.Liveness, text(ops))
		}
		stuck += want
	})
	if stuck == 0 {
		t.Error("no lock was stuck")
	}
}
