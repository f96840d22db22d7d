package measure

import (
	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
)

// lockWatch is who holds one lock and who waits for it, since when.
type lockWatch struct {
	name             string
	since            int64
	holders, waiters int
	before           int // how many held it before this time
	// moreHolders and moreWaiters are what changes at this time.
	changed                  bool
	moreHolders, moreWaiters int

	sharing *lockSharing                   // in the phase that is going on; nil: nobody asked
	calls   map[*checker.Hold]*lockSharing // the acquires that are not answered, with the phase in which they were invoked
	pending *pendingHandOff                // of a phase that is over
	led     bool                           // it was granted once
	nobody  int64                          // for how long nobody has held it, and both for how long two or more have
	both    int64
	most    int // how many held it at once since a clock was moved
	scenes  []*sceneWatch
}

// part is a time in which the same number hold a lock and wait for it.
type part struct {
	from, to         int64
	holders, waiters int
}

func (p *pass) lock(name string) *lockWatch {
	l, ok := p.locks[name]
	if !ok {
		l = &lockWatch{name: name, since: p.now, calls: map[*checker.Hold]*lockSharing{}}
		for _, s := range p.scenes {
			if s.located && s.in.Lock == name {
				l.scenes = append(l.scenes, s)
			}
		}
		p.locks[name] = l
	}
	return l
}

// change takes what happened to acquires and holds at the time now.
func (p *pass) change(events []checker.HoldEvent) error {
	for _, e := range events {
		l := p.lock(e.Lock)
		if !l.changed {
			l.changed = true
			p.changed = append(p.changed, l)
			p.part(l, p.now)
		}
		switch e.What {
		case checker.Asked:
			l.moreWaiters++
			p.asked(l, e.Hold)
		case checker.Answered:
			l.moreWaiters--
			if e.Held {
				l.moreHolders++
				p.led(l, e.Hold)
			}
			p.answered(l, e.Hold)
		case checker.FellSilent:
			l.moreWaiters--
		case checker.Ended:
			l.moreHolders--
			p.active = p.now
		}
		p.struck.acquire(e, p.now)
		p.watchScenes(e)
		if p.deadlocks != nil {
			if err := p.deadlocks.take(e, p.now); err != nil {
				return err
			}
		}
	}
	for _, l := range p.changed {
		l.before, l.holders, l.waiters = l.holders, l.holders+l.moreHolders, l.waiters+l.moreWaiters
		l.changed, l.moreHolders, l.moreWaiters = false, 0, 0
	}
	p.timeline.hold(p.now, p.locks, p.changed)
	for _, l := range p.changed {
		l.before = l.holders
	}
	p.changed = p.changed[:0]
	return nil
}

// flush ends the part of every lock that is going on.
func (p *pass) flush(at int64) {
	for _, l := range p.locks {
		p.part(l, at)
	}
}

// part ends the part that is going on.
func (p *pass) part(l *lockWatch, at int64) {
	if at <= l.since {
		return
	}
	one := part{l.since, at, l.holders, l.waiters}
	l.since = at
	if l.led {
		p.leadership.watch(l, one)
	}
	if l.sharing != nil {
		l.sharing.watch(one)
	}
	if l.pending != nil && l.pending.resolve(one) {
		l.pending = nil
	}
	if p.phase != nil && p.phase.moved {
		l.most = max(l.most, one.holders)
	}
	for _, s := range l.scenes {
		s.watch(one)
	}
}

// finishTables completes what the run's tables show.
func (p *pass) finishTables(m *Measurement) error {
	if err := p.finishSharing(m); err != nil {
		return err
	}
	if p.deadlocks != nil {
		m.Deadlocks = p.deadlocks.finish()
	}
	if p.run.Shows(results.Leadership) {
		m.Leadership = p.leadership.finish(p.phases)
	}
	if p.run.Shows(results.Clocks) {
		m.Clocks = finishClocks(p.phases)
	}
	return nil
}
