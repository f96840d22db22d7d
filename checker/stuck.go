package checker

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/internal/history"
)

// checkStuck counts the locks that nobody was granted, and nobody held, for longer than their bound after the
// last fault healed although they were asked for. A lock that a live client holds is not stuck, however long it does.
func checkStuck(m *model, opt Options, f *findings) Judgement {
	healed, ok := m.lastHeal()
	switch {
	case opt.StuckAfter <= 0:
		return Judgement{NotApplicable, "no bound was given"}
	case !ok:
		return Judgement{NotApplicable, "no fault was healed"}
	}
	end := m.end
	for _, fault := range m.faults {
		if fault.begin > healed { // it was never healed, and a lock may be stuck under it
			end = min(end, fault.begin)
		}
	}
	var stuck []string
	asked := false
	for _, l := range m.locks {
		for _, a := range l.attempts {
			asked = asked || a.Invoke.Time < end && (a.Outcome == "" || a.Return.Time > healed)
		}
		if l.stuck(healed, end, opt.StuckAfter) {
			stuck = append(stuck, quoted(l))
		}
	}
	f.counts.StuckLock = len(stuck)
	switch {
	case len(stuck) > 0:
		return Judgement{Invalid, fmt.Sprintf("%s: granted to nobody for more than %s after the last fault healed", strings.Join(stuck, ", "), seconds(opt.StuckAfter))}
	case !asked:
		return Judgement{Unknown, "nobody asked for a lock after the last fault healed"}
	default:
		return Judgement{Verdict: Valid}
	}
}

// pause is a time in which a lock was neither granted nor held.
type pause struct{ from, to int64 }

func (l *lock) stuck(healed, end, bound int64) bool {
	for _, p := range l.pauses(healed, end, bound) {
		if p.stuck(l.attempts, bound) {
			return true
		}
	}
	return false
}

// pauses lists the pauses between from and end that are longer than bound.
func (l *lock) pauses(from, end, bound int64) []pause {
	var all []pause
	for _, g := range l.grants { // as they were granted
		if to := min(g.Return.Time, end); to-from > bound {
			all = append(all, pause{from, to})
		}
		from = max(from, g.Return.Time, g.end)
	}
	if end-from > bound {
		all = append(all, pause{from, end})
	}
	return all
}

// stuck reports whether the lock was asked for in vain for longer than bound: one acquire waited that long, or so
// much time passed from the first wish to the last refusal.
func (p pause) stuck(attempts []*history.Grant, bound int64) bool {
	wished, refused := int64(never), int64(0)
	for _, a := range attempts {
		if a.Invoke.Time >= p.to || a.Outcome != "" && a.Return.Time <= p.from {
			continue
		}
		since := max(a.Invoke.Time, p.from)
		wished = min(wished, since)
		until := p.to
		if a.Outcome != "" {
			until = min(until, a.Return.Time)
		}
		if (a.Outcome == history.Fail || a.Outcome == history.Info) && a.Return.Time <= p.to {
			refused = max(refused, until)
		}
		if until-since > bound {
			return true
		}
	}
	return refused > 0 && refused-wished > bound
}
