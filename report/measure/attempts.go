package measure

import (
	"math"

	"github.com/lockbench/lockbench/checker/history"
)

// never is after every line of a history.
const never = math.MaxInt64

// attempt is one acquire as its worker saw it, also in a history that is malformed.
type attempt struct {
	lock             string
	process          int64
	invoke, intended int64
	n                int         // in the order of the invokes
	phase            *phaseWatch // that it was invoked in, or nil
	home             *phaseWatch // that its latency belongs to: in an open loop the one in which it was due
	end              int64
	granted          bool
	givenUp          int64 // when it was released or abandoned, or never
}

// from is when the wait began: in an open loop when it was due.
func (a *attempt) from() int64 {
	if a.intended != 0 {
		return a.intended
	}
	return a.invoke
}

// attempts pairs acquires with their ends.
type attempts struct {
	n      int
	open   map[history.GrantKey]*attempt // not ended, or granted and not given up
	newest map[string]*attempt           // of each lock the last one that was granted
}

// attempt takes one line of a worker.
func (p *pass) attempt(op *history.Op) error {
	id := history.GrantKey{Process: op.Process, Grant: op.Grant}
	a, known := p.attempts.open[id]
	switch {
	case op.F == history.Acquire && op.Type == history.Invoke:
		a = &attempt{lock: op.Lock, process: op.Process, invoke: op.Time, intended: op.Intended, n: p.attempts.n, phase: p.phase, home: p.phase, givenUp: never}
		p.attempts.n++
		p.attempts.open[id] = a
		p.arrived(a)
	case !known:
	case op.F == history.Acquire:
		a.end, a.granted = op.Time, op.Type == history.OK
		if !a.granted {
			delete(p.attempts.open, id)
		}
		return p.attemptEnded(a, op.Type)
	case op.F == history.Release && op.Type == history.Invoke, op.F == history.Abandon:
		a.givenUp = op.Time
		p.active = op.Time
		delete(p.attempts.open, id)
	}
	return nil
}

// arrived notes when an acquire of an open loop was due.
func (p *pass) arrived(a *attempt) {
	if a.intended == 0 {
		return
	}
	p.lastDue.add(p.worker(a.process), a.intended)
	if w := p.phaseAt(a.intended); w != nil {
		w.due.add(p.worker(a.process), a.intended)
		a.home = w
	}
}

// phaseAt is the phase that went on at a time, or nil.
func (p *pass) phaseAt(t int64) *phaseWatch {
	for i := len(p.phases) - 1; i >= 0; i-- {
		if w := p.phases[i]; t >= w.Begin && (w == p.phase || t < w.End) {
			return w
		}
	}
	return nil
}

func (p *pass) attemptEnded(a *attempt, outcome history.Type) error {
	p.active = a.end
	if a.home != nil {
		if err := a.home.addLatency(a); err != nil {
			return err
		}
	}
	if a.phase != nil {
		if err := a.phase.ended(a, outcome, a.phase == p.phase); err != nil {
			return err
		}
	}
	if !a.granted {
		return nil
	}
	if p.phase != nil {
		p.phase.granted(a)
	}
	for _, w := range p.phases {
		w.endGap(a.end)
		if w.Healed && w.recovered == 0 && a.invoke >= w.healed {
			w.recovered = a.end
		}
	}
	if last := p.attempts.newest[a.lock]; last == nil || a.end > last.end || a.n < last.n {
		p.attempts.newest[a.lock] = a
	}
	p.timeline.grant(a)
	if a.home == nil {
		return nil
	}
	return p.seconds.grant(a, len(p.phases)-1, p.begin)
}

// worker is who made an acquire. A worker that goes on under a new process number adds the number of all workers.
func (p *pass) worker(process int64) int64 {
	if p.workers > 0 {
		return process % p.workers
	}
	return process
}
