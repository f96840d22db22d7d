package history

import (
	"errors"
	"fmt"
)

// item is what the applied writes imply about one lock's item.
type item struct{ version uint64 }

// resourceLine takes one line of the resource.
func (p *parser) resourceLine(at Stamp, op *Op) error {
	if op.Type != Apply && op.Type != Reject {
		return nil
	}
	if op.Seq <= p.seq {
		return fmt.Errorf("seq %d does not follow %d; it is the resource's order, and grows from line to line", op.Seq, p.seq)
	}
	p.seq = op.Seq
	r, err := p.sequenced(op)
	if err != nil {
		return err
	}
	if r.Seq != 0 {
		return fmt.Errorf("request %d of grant %d of process %d reached the resource on line %d already", r.N, r.Grant.N, op.Process, r.Served.Line)
	}
	if err := r.sameAs(op); err != nil {
		return err
	}
	it, ok := p.items[op.Lock]
	if !ok {
		it = &item{}
		p.items[op.Lock] = it
	}
	if err := it.take(r, op); err != nil {
		return err
	}
	r.Seq, r.Served, r.Rejected = op.Seq, at, op.Type == Reject
	if !r.Rejected {
		r.Version = op.Version
	}
	p.history.Sequenced = append(p.history.Sequenced, r)
	return nil
}

// sequenced finds the request of a line of the resource.
func (p *parser) sequenced(op *Op) (*Request, error) {
	proc, ok := p.processes[op.Process]
	if !ok || proc.Client != op.Client {
		return nil, fmt.Errorf("client %s has no process %d", op.Client, op.Process)
	}
	g, err := held(proc, op)
	if err != nil {
		return nil, err
	}
	r := g.request(op.Request)
	if r == nil || r.F != op.F {
		return nil, fmt.Errorf("%s %d of grant %d of process %d was never invoked", op.F, op.Request, op.Grant, op.Process)
	}
	return r, nil
}

// take checks the version of a line against the writes that were applied before it.
func (it *item) take(r *Request, op *Op) error {
	if op.F == Write && r.Base.V > it.version {
		return fmt.Errorf("base %d: the item of lock %s was only at version %d, so nobody can have read it", r.Base.V, op.Lock, it.version)
	}
	want := it.version
	if op.F == Write && op.Type == Apply {
		want++
	}
	if op.Version.Set && op.Version.V != want {
		return fmt.Errorf("version %d: by the writes applied so far the item of lock %s is at %d after this %s", op.Version.V, op.Lock, want, op.F)
	}
	it.version = want
	return nil
}

// answers checks that what workers were told is what the resource did.
func (p *parser) answers() error {
	for _, g := range p.history.Grants {
		for _, r := range g.Requests {
			if err := r.checkAnswer(); err != nil {
				return &LineError{Line: r.Answer.Line, Err: err}
			}
		}
	}
	return nil
}

func (r *Request) checkAnswer() error {
	switch applied := r.Seq != 0 && !r.Rejected; {
	case r.Outcome == OK && r.Seq == 0:
		return errors.New("ok, but no line of the resource says that it served the request")
	case r.Outcome == OK && r.Rejected:
		return fmt.Errorf("ok, but the resource rejected the request on line %d", r.Served.Line)
	case r.Outcome == Fail && applied:
		return fmt.Errorf("fail, which says that nothing happened, but the resource served the request on line %d", r.Served.Line)
	case r.Outcome == OK && r.answered.Set && r.answered != r.Version:
		return fmt.Errorf("version %d, but the resource served the request at version %d on line %d", r.answered.V, r.Version.V, r.Served.Line)
	}
	return nil
}
