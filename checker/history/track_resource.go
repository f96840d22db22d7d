package history

import (
	"errors"
	"fmt"
)

// item is what the applied writes imply about one lock's item.
type item struct{ version uint64 }

// resourceLine takes one line of the resource.
func (t *Tracker) resourceLine(at Stamp, op *Op) error {
	if op.Seq <= t.seq {
		return &LineError{at.Line, fmt.Errorf("seq %d does not follow %d; it is the resource's order, and grows from line to line", op.Seq, t.seq)}
	}
	t.seq = op.Seq
	if len(t.waiting) > 0 || t.early(op) {
		t.waiting = append(t.waiting, waitingLine{at, *op})
		return nil
	}
	if err := t.serve(at, op); err != nil {
		return lineError(at, err)
	}
	return nil
}

// catchUp serves what waited for an invoke.
func (t *Tracker) catchUp() error {
	for len(t.waiting) > 0 && !t.early(&t.waiting[0].op) {
		w := t.waiting[0]
		if t.waiting = t.waiting[1:]; len(t.waiting) == 0 {
			t.waiting = nil
		}
		if err := t.serve(w.at, &w.op); err != nil {
			return lineError(w.at, err)
		}
	}
	return nil
}

// early reports whether the request of a line of the resource may still be invoked.
func (t *Tracker) early(op *Op) bool {
	proc, ok := t.processes[op.Process]
	if !ok {
		return true
	}
	if proc.Client != op.Client {
		return false
	}
	g := proc.grant(op.Grant)
	switch {
	case g == nil:
		return op.Grant > proc.asked
	case g.Outcome == "":
		return true
	default:
		return g.Outcome == OK && op.Request > g.asked
	}
}

// serve takes a line of the resource, of a request that was invoked.
func (t *Tracker) serve(at Stamp, op *Op) error {
	r, err := t.sequenced(op)
	if err != nil {
		return err
	}
	if r.Seq != 0 {
		return fmt.Errorf("request %d of grant %d of process %d reached the resource on line %d already", r.N, r.Grant.N, op.Process, r.Served.Line)
	}
	if err := r.sameAs(op); err != nil {
		return err
	}
	it, ok := t.items[op.Lock]
	if !ok {
		it = &item{}
		t.items[op.Lock] = it
	}
	if err := it.take(r, op); err != nil {
		return err
	}
	r.Seq, r.Served, r.Rejected = op.Seq, at, op.Type == Reject
	if !r.Rejected {
		r.Version = op.Version
	}
	if r.Outcome != "" {
		if err := r.checkAnswer(); err != nil {
			return &LineError{Line: r.Answer.Line, Err: err}
		}
	}
	t.to.Served(r)
	t.over(r)
	return nil
}

// sequenced finds the request of a line of the resource.
func (t *Tracker) sequenced(op *Op) (*Request, error) {
	proc, ok := t.processes[op.Process]
	if !ok || proc.Client != op.Client {
		return nil, fmt.Errorf("client %s has no process %d", op.Client, op.Process)
	}
	g, err := t.held(proc, op)
	if err != nil {
		return nil, err
	}
	r := g.request(op.Request)
	switch {
	case r == nil && g.forgot && op.Request <= g.asked:
		return nil, &ForgottenError{GrantKey{proc.N, g.N}}
	case r == nil || r.F != op.F:
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

// checkAnswer checks that what the worker was told is what the resource did.
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
