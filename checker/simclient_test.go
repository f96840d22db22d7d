package checker

import "github.com/lockbench/lockbench/checker/history"

// simWorker is one life of a client of the simulation, or the part of one that has one process number.
type simWorker struct {
	*simulation
	client  string
	process int64
	gone    bool // it was killed, or goes on under a new number
	grant   int64
	token   history.Uint
	// deadline is when its grant's TTL may be over. It is counted from before the acquire, so the server's is no
	// earlier.
	deadline int64
	holding  bool
}

func (s *simulation) start(client string) {
	w := &simWorker{simulation: s, client: client, process: s.processes}
	s.processes++
	w.after(w.between(1, 50), w.ask)
}

// after lets the worker do something later, if it still is there.
func (w *simWorker) after(d int64, do func()) { w.when(w.now+d, do) }

func (w *simWorker) when(t int64, do func()) {
	w.at(t, func() {
		if !w.gone {
			do()
		}
	})
}

func (w *simWorker) id() GrantID { return GrantID{w.process, w.grant} }

func (w *simWorker) line(f string, typ history.Type) history.Op {
	return history.Op{Client: w.client, Process: w.process, F: f, Type: typ, Lock: "l", Grant: w.grant}
}

// replace goes on under a new number, as after every info.
func (w *simWorker) replace() {
	w.gone = true
	w.start(w.client)
}

// ask asks the lock's server, and waits for a while. Towards the end nobody begins anew, so that all is released.
func (w *simWorker) ask() {
	if w.now > simEnd {
		return
	}
	w.grant++
	w.token, w.holding, w.deadline = history.Uint{}, false, w.now+simTTL
	w.record(w.line(history.Acquire, history.Invoke))
	id, answered := w.id(), false
	w.at(w.cross(w.client), func() {
		token, ok := w.acquire(id)
		w.when(w.cross(w.client), func() {
			answered = true
			if ok {
				w.begin(token)
				return
			}
			w.record(w.line(history.Acquire, history.Fail))
			w.after(w.between(50, 150), w.ask)
		})
	})
	w.after(300, func() {
		if !answered {
			w.record(w.line(history.Acquire, history.Info))
			w.replace()
		}
	})
}

// begin works under a new grant: it reads, thinks, writes and releases.
func (w *simWorker) begin(token uint64) {
	w.token, w.holding = history.Some(token), true
	ok := w.line(history.Acquire, history.OK)
	ok.Token = w.token
	w.record(ok)
	if w.kill {
		w.kill = false
		w.after(10, func() {
			w.nemesis(history.Kill, history.Invoke, w.client, "")
			w.gone = true
			w.at(w.now+200, func() { w.start(w.client) })
		})
	}
	id := w.id()
	if !w.overstays {
		w.when(w.deadline-20, func() {
			if w.holding && w.id() == id {
				w.giveUp()
			}
		})
	}
	think := w.between(10, 60)
	if w.oneIn(15) {
		think = 2 * simTTL
	}
	w.request(history.Read, 1, 0, func(version uint64) {
		w.when(w.now+think, func() {
			if w.holding && w.id() == id { // else it gave up meanwhile
				w.request(history.Write, 2, version, func(uint64) { w.end() })
			}
		})
	})
}

// request asks the resource, which is near: an answer takes no longer than 20, and is there before the worker gives up.
func (w *simWorker) request(f string, n int64, base uint64, then func(version uint64)) {
	if !w.overstays && w.now > w.deadline-50 {
		return // too late: it will give up
	}
	op := w.line(f, history.Invoke)
	op.Request, op.Token = n, w.token
	if f == history.Write {
		op.Base = history.Some(base)
	}
	w.record(op)
	w.at(w.now+w.between(1, 10), func() {
		version, ok := w.serve(op)
		w.when(w.now+w.between(1, 10), func() {
			if op.Type = history.Fail; ok {
				op.Type, op.Version = history.OK, history.Some(version)
			}
			w.record(op)
			if !ok {
				w.giveUp()
				return
			}
			then(version)
		})
	})
}

// giveUp is what a worker does that learned that it does not hold.
func (w *simWorker) giveUp() {
	w.holding = false
	w.record(w.line(history.Lost, history.OK))
	w.record(w.line(history.Abandon, history.OK))
	w.after(w.between(50, 150), w.ask)
}

// end releases. Now and then the message takes longer than the TTL, and arrives when the lock is somebody else's.
func (w *simWorker) end() {
	w.holding = false
	w.record(w.line(history.Release, history.Invoke))
	arrives := w.cross(w.client)
	if w.oneIn(15) {
		arrives += simTTL + w.between(100, 300)
	}
	id, answered := w.id(), false
	w.at(arrives, func() {
		w.release(id)
		w.when(w.cross(w.client), func() {
			answered = true
			w.record(w.line(history.Release, history.OK))
			w.after(w.between(1, 100), w.ask)
		})
	})
	w.after(300, func() {
		if !answered {
			w.record(w.line(history.Release, history.Info))
			w.replace()
		}
	})
}
