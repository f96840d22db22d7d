package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/units"
)

// liveness looks for locks that are stuck after the last heal, which may always be the last one so far.
type liveness struct {
	bound int64
	// healed is when the last heal was done; never: none was.
	healed int64
	// broken is when a fault began after it, under which a lock may be stuck; never: none did.
	broken int64
	wished int64 // the first acquire that was open after the heal
	over   bool  // the time now is the end of the history
	// always is true if locks are judged all the time but while a fault is in force, kills left out.
	always bool
}

// idle is what liveness knows of one lock: how long nobody was granted it, and nobody held it.
type idle struct {
	since int64 // the heal, the last grant or the last end of a hold that is decided
	spell spell
	// found are pauses for which it was stuck.
	found []pause
	// asked is when the first of the acquires was invoked that were granted or refused now; never: none was. refused is
	// true if one was refused that was invoked before.
	asked   int64
	refused bool
}

// spell is a time in which the lock may have been free, from since on, and was asked for in vain.
type spell struct {
	since           int64
	wished, refused int64 // the first wish and the last refusal
	long            bool  // one acquire waited for longer than the bound
}

// pause is a time in which a lock was neither granted nor held, if its holders had died by then.
type pause struct {
	from    int64
	decided int64 // from, as far as that was decided
	holders []*grant
}

func newLiveness(opt Options) liveness {
	lv := liveness{bound: opt.StuckAfter, healed: never, broken: never, wished: never}
	if opt.GrantedWithin > 0 {
		lv.bound, lv.always, lv.healed = opt.GrantedWithin, true, 0
	}
	return lv
}

// on reports whether a lock can be stuck now.
func (lv *liveness) on() bool { return lv.bound > 0 && lv.healed != never && lv.broken == never }

func (lv *liveness) asked(g *grant) {
	if !lv.always || lv.on() {
		lv.wished = min(lv.wished, g.Invoke.Time)
	}
}

// settle judges the time now, which is over.
func (lv *liveness) settle(s *sweep) {
	if lv.on() {
		for _, g := range s.tick.returned {
			s.ended(g, false)
		}
		for _, g := range s.tick.refused {
			s.ended(g, true)
		}
		if s.tick.fault || lv.over {
			for _, l := range s.locks {
				s.endPause(l, s.now)
			}
		}
		for _, g := range s.tick.returned {
			s.endPause(g.lock, s.now)
			g.lock.idle.since = max(g.lock.idle.since, s.now)
		}
		for _, g := range s.tick.refused {
			s.refuse(g)
		}
		for _, l := range s.tick.asked {
			l.idle.asked, l.idle.refused = never, false
		}
	}
	switch {
	case lv.always && s.faults.inForce > 0:
		lv.broken = min(lv.broken, s.now)
	case lv.always && lv.broken == never:
	case lv.always || s.tick.healed:
		lv.begin(s)
	case s.tick.fault && lv.healed != never:
		lv.broken = min(lv.broken, s.now)
	}
}

// begin notes that locks are judged from now on.
func (lv *liveness) begin(s *sweep) {
	lv.healed, lv.broken = s.now, never
	if !lv.always {
		lv.wished = never
	}
	for _, l := range s.locks {
		var found []pause
		if lv.always {
			found = l.idle.found
		}
		l.idle = idle{since: s.now, spell: spell{since: s.now, wished: never}, asked: never, found: found}
		if a := l.waiting.first; a != nil {
			lv.asked(a)
		}
	}
}

// finish judges the pause at the end of the history.
func (lv *liveness) finish(s *sweep) {
	if lv.on() && !lv.over {
		for _, l := range s.locks {
			s.endPause(l, s.end)
		}
	}
}

// ended notes an acquire that ended now.
func (s *sweep) ended(g *grant, refused bool) {
	i := &g.lock.idle
	if g.Invoke.Time >= s.now {
		return
	}
	if i.asked == never {
		s.tick.asked = append(s.tick.asked, g.lock)
	}
	i.asked, i.refused = min(i.asked, g.Invoke.Time), i.refused || refused
}

// mayHold reports whether the grant may be held until now. One that was granted now does not count.
func (g *grant) mayHold(now int64) bool { return !g.decided && g.Return.Time < now }

// holders lists the grants that may be held until now.
func (l *lock) holders(now int64) []*grant {
	var all []*grant
	for g := l.live.first; g != nil; g = l.live.next(g) {
		if g.mayHold(now) {
			all = append(all, g)
		}
	}
	return all
}

// keepSpell brings the lock's spell up to date. It has been free since the last end of a hold; of a holder that
// nothing ended yet that is the last line of its client, which may come to be later. (No kill ends one here: it would
// be a fault.) The newest holders are those that were most likely heard of just now.
func (l *lock) keepSpell(now int64) {
	since := l.idle.since
	for g := l.live.last; g != nil && since < now; g = l.live.prev(g) {
		if g.mayHold(now) {
			since = max(since, g.knownEnd())
		}
	}
	if l.idle.spell.since != since {
		l.idle.spell = spell{since: since, wished: never}
	}
}

// refuse notes an acquire that was not granted.
func (s *sweep) refuse(g *grant) {
	l := g.lock
	l.keepSpell(s.now)
	if sp := &l.idle.spell; s.now > sp.since {
		sp.ask(g.Invoke.Time, s.now, s.liveness.bound)
		sp.refused = s.now
	}
}

// ask notes an acquire that waited from its invoke until a time.
func (sp *spell) ask(invoked, until, bound int64) {
	since := max(invoked, sp.since)
	sp.wished = min(sp.wished, since)
	sp.long = sp.long || until-since > bound
}

// endPause looks whether the lock was asked for in vain until now for longer than the bound: one acquire waited that
// long, or so much time passed from the first wish to the last refusal.
func (s *sweep) endPause(l *lock, now int64) {
	bound := s.liveness.bound
	if now-l.idle.since <= bound {
		return
	}
	l.keepSpell(now)
	sp := l.idle.spell
	if now-sp.since <= bound {
		return
	}
	if g := l.waiting.first; g != nil && g.Invoke.Time < now {
		sp.ask(g.Invoke.Time, now, bound)
	}
	if now == s.now && l.idle.asked != never {
		sp.ask(l.idle.asked, now, bound)
		if l.idle.refused {
			sp.refused = now
		}
	}
	if sp.long || sp.refused > 0 && sp.refused-sp.wished > bound {
		l.idle.found = append(l.idle.found, pause{from: sp.since, decided: l.idle.since, holders: l.holders(now)})
	}
}

// stuck reports whether the lock was stuck. All holds are decided.
func (l *lock) stuck() bool {
	return slices.ContainsFunc(l.idle.found, func(p pause) bool {
		from := p.decided
		for _, g := range p.holders {
			from = max(from, g.end)
		}
		return from == p.from
	})
}

// checkStuck counts the locks that nobody was granted, and nobody held, for longer than their bound after the
// last fault healed although they were asked for. A lock that a live client holds is not stuck, however long it does.
func (s *sweep) checkStuck() Judgement {
	lv := &s.liveness
	switch {
	case s.hosts:
		return Judgement{NotApplicable, "several hosts share no clock"}
	case lv.bound <= 0:
		return Judgement{NotApplicable, "no bound was given"}
	case lv.healed == never:
		return Judgement{NotApplicable, "no fault was healed"}
	}
	asked, free := "nobody asked for a lock after the last fault healed", "after the last fault healed"
	if lv.always {
		asked, free = "nobody asked for a lock", "although nobody held it"
	}
	var stuck []*lock
	for _, l := range s.locks {
		if l.stuck() {
			stuck = append(stuck, l)
		}
	}
	slices.SortFunc(stuck, func(a, b *lock) int { return cmp.Compare(a.line, b.line) })
	s.counts.StuckLock = len(stuck)
	switch {
	case len(stuck) > 0:
		names := make([]string, len(stuck))
		for i, l := range stuck {
			names[i] = "`" + l.name + "`"
		}
		return Judgement{Invalid, fmt.Sprintf("%s: granted to nobody for more than %s %s", strings.Join(names, ", "), units.Duration(time.Duration(lv.bound)), free)}
	case lv.wished >= min(s.end, lv.broken):
		return Judgement{Unknown, asked}
	default:
		return Judgement{Verdict: Valid}
	}
}
