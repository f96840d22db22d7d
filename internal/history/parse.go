package history

import "fmt"

// parser builds a History. Lines of different processes may come in any order, so the resource's lines, which
// belong to requests that their workers invoke, wait until all workers' lines are in.
type parser struct {
	history   *History
	processes map[int64]*Process
	items     map[string]*item
	seq       uint64
	index     int64 // of the last line
	nemesis   int64 // time of the nemesis's last line
}

// Parse checks that the lines are a well-formed history and takes it apart. Its error is a *LineError: a history
// with an error proves nothing, so nothing of it is returned.
func Parse(ops []Op) (*History, error) {
	p := parser{history: &History{Ops: ops}, processes: map[int64]*Process{}, items: map[string]*item{}, index: -1}
	passes := []func(Stamp, *Op) error{p.line, p.resourceLine}
	for _, pass := range passes {
		for i := range ops {
			at := Stamp{Time: ops[i].Time, Line: i + 1}
			if err := pass(at, &ops[i]); err != nil {
				return nil, &LineError{Line: at.Line, Err: err}
			}
		}
	}
	if err := p.answers(); err != nil {
		return nil, err
	}
	return p.history, nil
}

// line takes one line that is not the resource's.
func (p *parser) line(at Stamp, op *Op) error {
	if err := checkLine(op); err != nil {
		return err
	}
	if op.Index <= p.index {
		return fmt.Errorf("index %d does not follow %d; it numbers the lines from 0", op.Index, p.index)
	}
	p.index = op.Index
	if op.IsNemesis() {
		if op.Time < p.nemesis {
			return fmt.Errorf("time %d goes back; the nemesis was at %d", op.Time, p.nemesis)
		}
		p.nemesis = op.Time
		p.history.Nemesis = append(p.history.Nemesis, at.Line-1)
		return nil
	}
	if op.Type == Apply || op.Type == Reject {
		return nil
	}
	proc, err := p.process(at, op)
	if err != nil {
		return err
	}
	switch op.F {
	case Acquire:
		return p.acquire(proc, at, op)
	case Read, Write:
		return p.request(proc, at, op)
	case Release:
		return p.release(proc, at, op)
	default:
		g, err := held(proc, op)
		if err == nil && op.F == Abandon && !g.Abandon.Exists() {
			g.Abandon = at
		}
		return err
	}
}

// process finds or makes the process of a line, and checks what holds for all lines of a process.
func (p *parser) process(at Stamp, op *Op) (*Process, error) {
	proc, ok := p.processes[op.Process]
	if !ok {
		proc = &Process{N: op.Process, Client: op.Client, First: at}
		p.processes[op.Process] = proc
		p.history.Processes = append(p.history.Processes, proc)
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

func (p *parser) acquire(proc *Process, at Stamp, op *Op) error {
	if op.Type == Invoke {
		if n := len(proc.Grants); n > 0 && op.Grant <= proc.Grants[n-1].N {
			return fmt.Errorf("grant %d of process %d: it was at grant %d on line %d; grant numbers the acquires of a process, and grows",
				op.Grant, proc.N, proc.Grants[n-1].N, proc.Grants[n-1].Invoke.Line)
		}
		g := &Grant{Index: len(p.history.Grants), Process: proc, N: op.Grant, Lock: op.Lock, Invoke: at}
		proc.Grants = append(proc.Grants, g)
		proc.acquire = g
		p.history.Grants = append(p.history.Grants, g)
		return nil
	}
	g := proc.acquire
	if g == nil || g.N != op.Grant || g.Lock != op.Lock {
		return uninvoked(proc, op)
	}
	proc.acquire = nil
	g.Return, g.Outcome = at, op.Type
	if op.Type == OK {
		g.Token = op.Token
	}
	proc.end(at, op)
	return nil
}

func (p *parser) request(proc *Process, at Stamp, op *Op) error {
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
		proc.end(at, op)
		return nil
	}
	g, err := held(proc, op)
	if err != nil {
		return err
	}
	if g.Abandon.Exists() {
		return fmt.Errorf("a request of grant %d of process %d, which was abandoned on line %d", g.N, proc.N, g.Abandon.Line)
	}
	if n := len(g.Requests); n > 0 && op.Request <= g.Requests[n-1].N {
		return fmt.Errorf("request %d of grant %d of process %d: it was at request %d on line %d; request numbers the requests of a grant, and grows",
			op.Request, g.N, proc.N, g.Requests[n-1].N, g.Requests[n-1].Invoke.Line)
	}
	if op.Token.Set && op.Token != g.Token {
		return fmt.Errorf("token %d is not what grant %d of process %d was given on line %d", op.Token.V, g.N, proc.N, g.Return.Line)
	}
	r := &Request{Grant: g, N: op.Request, F: op.F, Invoke: at, Token: op.Token, Base: op.Base}
	g.Requests = append(g.Requests, r)
	proc.request = r
	return nil
}

func (p *parser) release(proc *Process, at Stamp, op *Op) error {
	if op.Type != Invoke {
		g := proc.release
		if g == nil || g.N != op.Grant || g.Lock != op.Lock {
			return uninvoked(proc, op)
		}
		proc.release = nil
		proc.end(at, op)
		return nil
	}
	g, err := held(proc, op)
	if err != nil {
		return err
	}
	if !g.Release.Exists() {
		g.Release = at
	}
	proc.release = &Grant{Process: proc, N: g.N, Lock: g.Lock, Release: at}
	return nil
}

// end notes that a call ended; after an Info the process makes no more.
func (proc *Process) end(at Stamp, op *Op) {
	if op.Type == Info {
		proc.info = at.Line
	}
}

// held finds the grant that a line is about, which must have been granted.
func held(proc *Process, op *Op) (*Grant, error) {
	g := proc.grant(op.Grant)
	switch {
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
