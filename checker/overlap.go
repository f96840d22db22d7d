package checker

import "slices"

// overlaps are the holds of one lock in the order in which they began. Each is decided when it and all before it have
// ended.
type overlaps struct {
	queue
	// longest are the holds that ended last of those that are decided, and earlier likewise of those that also began
	// before the newest of them, which was at newest.
	longest, earlier latest
	newest           int64
	// both is until when two holds are known to have been open at once, and bothSince since when without a break.
	both, bothSince int64
	// own are, of each process, the newest of its holds that may be open.
	own map[*process]*grant
	// open is how many holds may be open, by the lines so far.
	open int
}

// latest is the hold that ended last, and that of them of another process.
type latest struct{ any, other *grant }

func (l *latest) add(g *grant) {
	switch {
	case l.any == nil:
		l.any = g
	case g.holdEnd() > l.any.holdEnd():
		if l.any.process != g.process {
			l.other = l.any
		}
		l.any = g
	case l.any.process != g.process && (l.other == nil || g.holdEnd() > l.other.holdEnd()):
		l.other = g
	}
}

// but is the one that ended last of those of other processes than this one.
func (l *latest) but(p *process) *grant {
	if l.any != nil && l.any.process == p {
		return l.other
	}
	return l.any
}

// beginHold notes a hold that begins.
func (s *sweep) beginHold(g *grant) {
	if s.hosts && !s.opt.Reentrant {
		return // it takes a clock to see an overlap
	}
	o := &g.lock.overlaps
	if g.own = o.openOf(g.process); g.own != nil {
		g.own.below = openOne(g.own.below)
		if s.opt.Reentrant {
			g.outer = g.own.outermost()
		}
	}
	g.below = g.own
	if o.own == nil {
		o.own = map[*process]*grant{}
	}
	o.own[g.process] = g
	g.open = true
	if s.hosts {
		return
	}
	if o.open > 0 {
		g.contested = true
		s.undecided++
	}
	o.open++
	o.push(g)
}

// outermost is the grant that a process holds already when it takes the lock again, if locks are reentrant.
func (g *grant) outermost() *grant {
	if g.outer != nil {
		return g.outer
	}
	return g
}

// openOf is the newest hold of a process that was not given up, or nil.
func (o *overlaps) openOf(p *process) *grant {
	g := openOne(o.own[p])
	if g == nil {
		delete(o.own, p)
	}
	return g
}

// openOne is the grant or, if it was given up, the newest one under it that was not.
func openOne(g *grant) *grant {
	for g != nil && !g.open {
		g = g.below
	}
	return g
}

// noLongerOpen notes that the hold was given up, or ended.
func (s *sweep) noLongerOpen(g *grant) {
	if !g.open {
		return
	}
	g.open = false
	o := &g.lock.overlaps
	o.open--
	o.openOf(g.process) // forgets the process if it has none any more
}

// holdEnded notes that the end of the hold is known.
func (s *sweep) holdEnded(g *grant) {
	if s.hosts {
		return
	}
	s.noLongerOpen(g)
	o := &g.lock.overlaps
	if g.silent {
		// It was taken for dead.
		if g.end > g.silence && g.held() {
			s.retain.missGrant(g.key())
		}
		return
	}
	o.over++
	s.queued++
	s.decideOverlaps(o)
}

// decideOverlaps decides the holds that nothing before them keeps open.
//
// A client that died of itself is known to be dead only at the end. So that not all that began after its hold must be
// remembered until then, it is taken for dead if much waits for it and it was not heard of since. If it is heard of
// after all, its grant is missed.
func (s *sweep) decideOverlaps(o *overlaps) {
	for g := o.front(); g != nil; g = o.front() {
		if !g.decided {
			if o.over <= max(o.patience, s.retain.watched) {
				return
			}
			if last := g.knownEnd(); last >= s.now || s.retain.retains(g) {
				o.patience = 2 * o.over
				return
			}
			g.silent, g.silence = true, g.knownEnd()
			s.silent = append(s.silent, g)
			g.follower = o.grants[o.head+1] // those that wait for it are behind it
		} else {
			s.queued--
			if o.over--; o.over == 0 {
				o.patience = 0
			}
		}
		o.pop()
		s.decideOverlap(o, g)
	}
}

// holdEnd is when the hold ended, or is taken to have ended.
func (g *grant) holdEnd() int64 {
	if g.decided {
		return g.end
	}
	return g.silence
}

// decideOverlap counts the hold if it began while another was open: of the same client or not. Of those open by the
// clock the one that ended last stands for all. They overlap each other, so they are marked already, and joined to
// each other.
//
// At equal times an end goes before a begin, so that a hold without length overlaps only what is open around it. Of two
// that begin at the same time and go on, one certainly began while the other was open: the second line counts.
// Within a process the lines tell the order at equal times too.
func (s *sweep) decideOverlap(o *overlaps, second *grant) {
	own, at := second.own, second.Return.Time
	second.own = nil
	if second.contested {
		s.undecided--
	}
	if at > o.newest {
		o.earlier, o.newest = o.longest, at
	}
	if !second.held() {
		return
	}
	before := &o.earlier
	if second.holdEnd() > at {
		before = &o.longest
	}
	first := before.any
	if s.opt.Reentrant {
		first, own = before.but(second.process), nil
	}
	if first != nil && first.holdEnd() <= at {
		first = nil
	}
	grants := slices.DeleteFunc([]*grant{second, first, own}, func(g *grant) bool { return g == nil })
	o.longest.add(second)
	if grants = slices.Compact(grants); len(grants) == 1 {
		return
	}
	for _, g := range grants {
		g.overlapped = true
	}
	s.counts.Overlap++
	until := min(grants[1].holdEnd(), second.holdEnd())
	if until-at <= BriefOverlap {
		s.counts.OverlapBrief++
	}
	s.addOverlapTime(o, at, until)
	s.incidents.add(overlapOf(grants, until))
}

// addOverlapTime adds a time in which two holds were open. They come in the order in which they begin: of the holds that
// are open, the one that ends last decides until when there are two.
func (s *sweep) addOverlapTime(o *overlaps, from, until int64) {
	if from > o.both || o.both == 0 {
		o.both, o.bothSince = from, from
	}
	if until > o.both {
		s.counts.OverlapTime += until - o.both
		o.both = until
	}
	s.counts.LongestOverlap = max(s.counts.LongestOverlap, o.both-o.bothSince)
}

// overlapOf is the finding of a hold that began while others were open.
func overlapOf(grants []*grant, until int64) *finding {
	at := grants[0].Return
	return &finding{kind: overlapKind, grants: grants, at: at.Time, until: until, order: [2]uint64{uint64(at.Time), uint64(at.Line)}}
}
