package checker

import "github.com/lockbench/lockbench/checker/history"

// margin counts a holder that was told, if anybody else was granted the lock since its own grant.
func (o *oracle) margin(g *oracleGrant, line int, at int64) {
	if line >= g.endLine || line >= len(o.ops) || at >= g.killed {
		return
	}
	rival := int64(never)
	for _, other := range o.grants {
		if other.lock == g.lock && other.id.Process != g.id.Process && other.ok >= g.ok {
			rival = min(rival, other.ok)
		}
	}
	if rival == never {
		return
	}
	if o.counts.Told == 0 || rival-at < o.counts.WorstMargin {
		o.counts.WorstMargin = rival - at
	}
	o.counts.Told++
	if rival < at {
		o.counts.ToldLate++
	}
}

// losses counts the needless losses and what they cost, and the releases that did nothing.
func (o *oracle) losses() {
	end := int64(0)
	for _, op := range o.ops {
		end = max(end, op.Time)
		if op.F == history.Release && op.Type == history.Fail {
			o.counts.ReleasedUnheld++
		}
	}
	for _, g := range o.grants {
		line, at := o.find(func(op history.Op) bool {
			return op.F == history.Lost && op.Process == g.id.Process && op.Grant == g.id.Grant
		})
		o.margin(g, line, at)
		needless := line < g.endLine && line < len(o.ops) && at < g.killed
		next := end
		for _, other := range o.grants {
			if other.lock == g.lock && other.ok > at {
				next = min(next, other.ok)
			}
		}
		for _, other := range o.grants {
			rival := other.lock == g.lock && other.id.Process != g.id.Process
			if rival && (g.ok <= other.ok && other.ok <= at || other.ok == next && other.ok > at && other.ok < min(g.endTime, g.killed)) {
				needless = false
			}
		}
		if !needless {
			continue
		}
		o.counts.NeedlessLoss++
		wished := next
		for _, inv := range o.ops {
			if inv.F != history.Acquire || inv.Type != history.Invoke || inv.Lock != g.lock {
				continue
			}
			_, ended := o.find(func(x history.Op) bool {
				return x.F == history.Acquire && x.Type != history.Invoke && x.Process == inv.Process && x.Grant == inv.Grant
			})
			if inv.Time > at || ended > at {
				wished = min(wished, max(at, inv.Time))
			}
		}
		o.counts.LossCost += next - wished
	}
}
