package history

import "fmt"

// line takes one line that is not the resource's.
func (t *Tracker) line(at Stamp, op *Op) error {
	if op.IsNemesis() {
		if op.Time < t.nemesis {
			return fmt.Errorf("time %d goes back; the nemesis was at %d", op.Time, t.nemesis)
		}
		if op.F == Hosts && (at.Line != 1 || op.Type != OK) {
			return fmt.Errorf("%s of %s: it marks a history of several hosts, and is ok and its first line", op.Type, op.F)
		}
		t.nemesis = op.Time
		t.to.Nemesis(op)
		return nil
	}
	proc, err := t.process(at, op)
	if err != nil {
		return err
	}
	t.to.Line(proc, at)
	switch op.F {
	case Acquire:
		return t.acquire(proc, at, op)
	case Read, Write:
		return t.request(proc, at, op)
	case Release:
		return t.release(proc, at, op)
	default:
		g, err := t.held(proc, op)
		switch {
		case err != nil:
			return err
		case op.F == Lost:
			t.to.ToldLost(g, at)
		case !g.Abandon.Exists():
			given := g.givenUp()
			g.Abandon = at
			t.giveUp(g, given)
		}
		return nil
	}
}

// process finds or makes the process of a line, and checks what holds for all lines of a process.
func (t *Tracker) process(at Stamp, op *Op) (*Process, error) {
	proc, ok := t.processes[op.Process]
	if !ok {
		proc = &Process{Index: len(t.processes), N: op.Process, Client: op.Client, First: at}
		t.processes[op.Process] = proc
	}
	if op.Client != proc.Client {
		return nil, fmt.Errorf("process %d belongs to client %s since line %d, not to %s; a process number is never used twice",
			proc.N, proc.Client, proc.First.Line, op.Client)
	}
	if op.Time < proc.Last.Time {
		return nil, fmt.Errorf("time %d goes back; process %d was at %d on line %d", op.Time, proc.N, proc.Last.Time, proc.Last.Line)
	}
	proc.Last = at
	if op.Type != Invoke {
		return proc, nil
	}
	if open := proc.open(); open.Exists() && !proc.commits(op) {
		return nil, fmt.Errorf("process %d invokes %s while its call of line %d is open", proc.N, op.F, open.Line)
	}
	if proc.info != 0 {
		return nil, fmt.Errorf("process %d invokes %s although its call ended as info on line %d; its worker goes on under a new process number",
			proc.N, op.F, proc.info)
	}
	return proc, nil
}

// commits reports whether the invoke is of the release that ends the transaction in which the open write was made: the
// one call that is made inside another.
func (p *Process) commits(op *Op) bool {
	r := p.request
	return op.F == Release && p.release == nil && r != nil && r.F == Write && r.Grant.N == op.Grant
}

func (t *Tracker) acquire(proc *Process, at Stamp, op *Op) error {
	if op.Type == Invoke {
		if op.Grant <= proc.asked {
			return fmt.Errorf("grant %d of process %d: it was at grant %d on line %d; grant numbers the acquires of a process, and grows",
				op.Grant, proc.N, proc.asked, proc.invoked)
		}
		g := &Grant{Index: t.index(), Process: proc, N: op.Grant, Lock: op.Lock, Invoke: at, Intended: op.Intended}
		proc.Grants = append(proc.Grants, g)
		proc.acquire, proc.asked, proc.invoked = g, g.N, at.Line
		t.to.Invoked(g)
		t.forgetRecent(proc)
		return nil
	}
	g := proc.acquire
	if g == nil || g.N != op.Grant || g.Lock != op.Lock {
		return uninvoked(proc, op)
	}
	proc.acquire = nil
	g.Return, g.Outcome, g.Error = at, op.Type, op.Error
	if op.Type == OK {
		g.Token = op.Token
	}
	t.to.Returned(g)
	t.end(proc, at, op)
	t.forget(g)
	return nil
}

func (t *Tracker) request(proc *Process, at Stamp, op *Op) error {
	if op.Type != Invoke {
		r := proc.request
		if r == nil || r.F != op.F || r.N != op.Request || r.Grant.N != op.Grant || r.Grant.Lock != op.Lock {
			return uninvoked(proc, op)
		}
		if err := r.sameAs(op); err != nil {
			return err
		}
		proc.request = nil
		r.Answer, r.Outcome, r.answered = at, op.Type, op.Version
		if r.Seq != 0 {
			if err := r.checkAnswer(); err != nil {
				return err
			}
		}
		t.to.Answered(r)
		t.end(proc, at, op)
		t.over(r)
		return nil
	}
	g, err := t.held(proc, op)
	if err != nil {
		return err
	}
	if g.Abandon.Exists() {
		return fmt.Errorf("a request of grant %d of process %d, which was abandoned on line %d", g.N, proc.N, g.Abandon.Line)
	}
	if op.Request <= g.asked {
		return fmt.Errorf("request %d of grant %d of process %d: it was at request %d on line %d; request numbers the requests of a grant, and grows",
			op.Request, g.N, proc.N, g.asked, g.invoked)
	}
	if op.Token.Set && op.Token != g.Token {
		return fmt.Errorf("token %d is not what grant %d of process %d was given on line %d", op.Token.V, g.N, proc.N, g.Return.Line)
	}
	r := &Request{Grant: g, N: op.Request, F: op.F, Invoke: at, Token: op.Token, Base: op.Base}
	g.Requests = append(g.Requests, r)
	t.requests++
	proc.request, g.asked, g.invoked = r, r.N, at.Line
	t.to.Requested(r)
	return nil
}

func (t *Tracker) release(proc *Process, at Stamp, op *Op) error {
	if op.Type != Invoke {
		g := proc.release
		if g == nil || g.N != op.Grant || g.Lock != op.Lock {
			return uninvoked(proc, op)
		}
		proc.release = nil
		if op.Type == Fail {
			t.to.Unreleased(proc)
		}
		t.end(proc, at, op)
		return nil
	}
	g, err := t.held(proc, op)
	if err != nil {
		return err
	}
	proc.release = &Grant{Process: proc, N: g.N, Lock: g.Lock, Release: at}
	if !g.Release.Exists() {
		given := g.givenUp()
		g.Release = at
		t.giveUp(g, given)
	}
	return nil
}

// giveUp notes that a grant was given up, and whether it had been given up before.
func (t *Tracker) giveUp(g *Grant, before bool) {
	if !before {
		t.to.GivenUp(g)
	}
	t.forget(g)
}

// end notes that a call ended; after an Info the process makes no more.
func (t *Tracker) end(proc *Process, at Stamp, op *Op) {
	if op.Type == Info {
		proc.info = at.Line
		t.forgetRecent(proc)
	}
}

// held finds the grant that a line is about, which must have been granted.
func (t *Tracker) held(proc *Process, op *Op) (*Grant, error) {
	g := proc.grant(op.Grant)
	switch {
	case g == nil && proc.forgot && op.Grant <= proc.asked && !t.retain.Grants[GrantKey{proc.N, op.Grant}]:
		return nil, &ForgottenError{GrantKey{proc.N, op.Grant}}
	case g == nil:
		return nil, fmt.Errorf("%s of grant %d of process %d, which was never asked for", op.F, op.Grant, proc.N)
	case g.Outcome != OK:
		return nil, fmt.Errorf("%s of grant %d of process %d, which was asked for on line %d and not granted", op.F, op.Grant, proc.N, g.Invoke.Line)
	case g.Lock != op.Lock:
		return nil, fmt.Errorf("lock %s: grant %d of process %d is of lock %s", op.Lock, op.Grant, proc.N, g.Lock)
	}
	return g, nil
}

func uninvoked(proc *Process, op *Op) error {
	if open := proc.open(); open.Exists() {
		return fmt.Errorf("%s of %s does not end the call of process %d that is open, that of line %d", op.Type, op.F, proc.N, open.Line)
	}
	return fmt.Errorf("%s of %s without an invoke: process %d has no open call", op.Type, op.F, proc.N)
}

// sameAs checks what a later line of a request repeats of its invoke.
func (r *Request) sameAs(op *Op) error {
	if op.Token.Set && op.Token != r.Token {
		return fmt.Errorf("token %d is not what the request carried on line %d", op.Token.V, r.Invoke.Line)
	}
	if op.Base.Set && op.Base != r.Base {
		return fmt.Errorf("base %d is not what the write was based on when it was invoked on line %d", op.Base.V, r.Invoke.Line)
	}
	return nil
}
