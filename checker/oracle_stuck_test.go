package checker

import (
	"math"
	"slices"

	"github.com/lockbench/lockbench/checker/history"
)

// stuckLocks counts the stuck locks, by walking through time in steps of one nanosecond.
func (o *oracle) stuckLocks(bound int64) int {
	healed, end := int64(-1), int64(0)
	for _, op := range o.ops {
		end = max(end, op.Time)
		if op.F == history.Heal && op.Type == history.OK {
			healed = max(healed, op.Time)
		}
	}
	if healed < 0 {
		return 0
	}
	for _, op := range o.ops {
		if op.Process < 0 && op.F != history.Heal && op.F != history.Phase && op.Type == history.Invoke && op.Time > healed {
			end = min(end, op.Time)
		}
	}
	stuck := map[string]bool{}
	for _, op := range o.ops {
		if op.F != history.Acquire || op.Type != history.Invoke || stuck[op.Lock] {
			continue
		}
		free := func(t int64) bool { // from t to t+1
			return !slices.ContainsFunc(o.grants, func(g *oracleGrant) bool { return g.lock == op.Lock && g.ok <= t && t < g.end() })
		}
		granted := func(t int64) bool {
			return slices.ContainsFunc(o.grants, func(g *oracleGrant) bool { return g.lock == op.Lock && g.ok == t })
		}
		for from := healed; from < end; from++ {
			to := from
			for to < end && free(to) && (to == from || !granted(to)) {
				to++
			}
			if o.askedInVain(op.Lock, from, to, bound) {
				stuck[op.Lock] = true
			}
		}
	}
	return len(stuck)
}

// askedInVain is about a stretch of time in which the lock was free.
func (o *oracle) askedInVain(lock string, from, to, bound int64) bool {
	wish, refusal := int64(math.MaxInt64), int64(-1)
	for _, inv := range o.ops {
		if inv.F != history.Acquire || inv.Type != history.Invoke || inv.Lock != lock || inv.Time >= to {
			continue
		}
		line, ended := o.find(func(x history.Op) bool {
			return x.F == history.Acquire && x.Type != history.Invoke && x.Process == inv.Process && x.Grant == inv.Grant
		})
		if ended <= from {
			continue
		}
		wish = min(wish, max(from, inv.Time))
		if min(ended, to)-max(inv.Time, from) > bound {
			return true
		}
		if line < len(o.ops) && o.ops[line].Type != history.OK && ended <= to {
			refusal = max(refusal, ended)
		}
	}
	return refusal >= 0 && refusal-wish > bound
}
