package checker

import "github.com/lockbench/lockbench/checker/history"

// losses are the losses of one lock that may turn out to be needless: when the holder was told, nobody else had been
// granted the lock since.
type losses struct {
	// last is the newest grant that returned before now, and other the newest of another process.
	last, other *grant
	// pending are those after which nobody was granted the lock yet. Those from unwished on were not followed by an
	// acquire.
	pending  []loss
	unwished int
	// granted is a process that was granted the lock now, several is true if another was, too.
	granted *process
	several bool
	// run is that of the newest grants, all of one process; nil: of several.
	run *run
}

// run is what grants of one process, one after another, have in common: the rival who came next.
type run struct {
	process *process
	rival   int64 // when somebody else was granted the lock; never: nobody was yet
	told    int   // holders that were told before that, and last when the last of them was
	last    int64
}

// addRun notes that the grant returned now, as did those of the tick.
func (s *sweep) addRun(l *losses, g *grant) {
	switch {
	case l.several:
		s.rivalCame(l.run)
		l.run, g.run = nil, &run{rival: s.now}
	case l.run != nil && l.run.process == g.process:
		g.run = l.run
	default:
		s.rivalCame(l.run)
		l.run = &run{process: g.process, rival: never}
		g.run = l.run
	}
}

// rivalCame notes that somebody else was granted the lock now.
func (s *sweep) rivalCame(r *run) {
	if r == nil || r.rival != never {
		return
	}
	r.rival = s.now
	if r.told > 0 {
		s.addMargins(r.told, s.now-r.last)
	}
}

// addMargins notes how long before the rival's grant so many holders were told; least is the shortest time.
func (s *sweep) addMargins(n int, least int64) {
	c := &s.counts
	if c.Told == 0 || least < c.WorstMargin {
		c.WorstMargin = least
	}
	c.Told += n
	if least < 0 {
		c.ToldLate += n
	}
}

type loss struct {
	grant  *grant
	wished int64 // when the lock was first asked for since
}

// ToldLost is a line by which a client learned that it lost the lock.
func (s *sweep) ToldLost(hg *history.Grant, at history.Stamp) {
	g := s.grants[hg.Index]
	if s.hosts || g.toldLost || g.givenUp().Exists() || at.Time >= g.process.killed {
		return
	}
	g.toldLost = true
	s.tick.lost = append(s.tick.lost, g)
}

// Unreleased is a release that did nothing.
func (s *sweep) Unreleased(*history.Process) { s.counts.ReleasedUnheld++ }

// settleLosses settles the losses of the time now, which is over.
func (s *sweep) settleLosses() {
	for _, g := range s.tick.returned {
		l := &g.lock.losses
		l.several = l.several || l.granted != nil && l.granted != g.process
		l.granted = g.process
		if l.last != nil && l.last.process != g.process {
			l.other = l.last
		}
		l.last = g
	}
	for _, g := range s.tick.returned {
		s.addRun(&g.lock.losses, g)
	}
	for _, g := range s.tick.returned {
		if l := &g.lock.losses; l.granted != nil {
			s.endLosses(l)
			l.granted, l.several = nil, false
		}
	}
	for _, g := range s.tick.lost {
		l := &g.lock.losses
		rival := l.last
		if rival != nil && rival.process == g.process {
			rival = l.other
		}
		if s.now >= g.process.killed {
			continue
		}
		if r := g.run; r != nil && r.rival != never {
			s.addMargins(1, r.rival-s.now)
		} else if r != nil {
			r.told, r.last = r.told+1, s.now
		}
		if rival != nil && rival.Return.Time >= g.Return.Time {
			continue
		}
		l.pending = append(l.pending, loss{g, never})
		if g.lock.waiting.first != nil {
			l.wish(s.now)
		}
	}
}

// wish notes that the lock is asked for now.
func (l *losses) wish(now int64) {
	for ; l.unwished < len(l.pending); l.unwished++ {
		l.pending[l.unwished].wished = now
	}
}

// endLosses counts the losses that the lock's next grant shows to have been needless, and what they cost. One was not
// if somebody else is granted the lock while the one who was told has not given it up.
func (s *sweep) endLosses(l *losses) {
	for _, lost := range l.pending {
		p := lost.grant.process
		if (l.several || l.granted != p) && !lost.grant.givenUp().Exists() && p.killed > s.now {
			continue
		}
		s.needless(lost, s.now)
	}
	clear(l.pending)
	l.pending, l.unwished = l.pending[:0], 0
}

// needless counts a loss after which nobody was granted the lock until then.
func (s *sweep) needless(lost loss, then int64) {
	s.counts.NeedlessLoss++
	s.counts.LossCost += max(0, then-lost.wished)
}

// finishLosses counts those after which nobody was granted the lock.
func (s *sweep) finishLosses() {
	for _, l := range s.locks {
		for _, lost := range l.losses.pending {
			s.needless(lost, s.end)
		}
	}
}
