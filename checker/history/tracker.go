package history

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Observer is told what the lines of a history mean, line by line. What it is given changes as further lines come.
type Observer interface {
	// Line is called first for every line of a worker, whose number is then at.Line.
	Line(p *Process, at Stamp)
	// Invoked and Returned are the two ends of an acquire.
	Invoked(g *Grant)
	Returned(g *Grant)
	// GivenUp is the first line by which a worker gives a grant up, the call of release or abandon.
	GivenUp(g *Grant)
	// ToldLost is a line by which a client learned that it may no longer assume that it holds, and Unreleased the end of
	// a release that is proven to have done nothing.
	ToldLost(g *Grant, at Stamp)
	Unreleased(p *Process)
	// Requested is the invoke of a request, and Answered its end for the worker.
	Requested(r *Request)
	Answered(r *Request)
	// Served is a line of the resource. It comes after the invoke of its request, and in the order of Seq.
	Served(r *Request)
	// Nemesis is a line of the nemesis.
	Nemesis(op *Op)
	// Forgotten says that the grant's Index will be used again.
	Forgotten(g *Grant)
}

// GrantKey names a grant.
type GrantKey struct{ Process, Grant int64 }

// Retain is what a Tracker must not forget: everything, or some grants.
type Retain struct {
	All    bool
	Grants map[GrantKey]bool
}

// Retains reports whether the grant must not be forgotten.
func (r *Retain) Retains(g *Grant) bool {
	return r.All || len(r.Grants) > 0 && r.Grants[GrantKey{g.Process.N, g.N}]
}

// ForgottenError says that a line is about a grant that the Tracker has forgotten. The line proves nothing: a Tracker
// that retains the grant must take the lines from the first one on.
type ForgottenError struct{ Grant GrantKey }

// Error implements error.
func (e *ForgottenError) Error() string {
	return fmt.Sprintf("grant %d of process %d was over, and is forgotten", e.Grant.Grant, e.Grant.Process)
}

// recent is how many of the newest acquires of a process are remembered although they are over. Workers may record
// that they lost a lock, or abandon it, after they gave it back.
const recent = 2

// Tracker checks that lines are a well-formed history as they come, and tells what they mean. The lines of each
// process must be in order. So that its memory does not grow with the history, it forgets the grants that are over:
// they failed, or were given up and their requests were answered and served. It is not safe for concurrent use.
type Tracker struct {
	to        Observer
	retain    Retain
	processes map[int64]*Process
	items     map[string]*item
	seq       uint64
	nemesis   int64 // time of the nemesis's last line
	grants    int   // how many indices are in use or free
	free      []int
	requests  int // how many are remembered
	// waiting are lines of the resource that came before the invoke of the first one's request.
	waiting []waitingLine
}

type waitingLine struct {
	at Stamp
	op Op
}

// NewTracker returns a Tracker that forgets all but what it is told to retain.
func NewTracker(to Observer, retain Retain) *Tracker {
	return &Tracker{to: to, retain: retain, processes: map[int64]*Process{}, items: map[string]*item{}}
}

// Feed takes one line, which must be right by itself (see Op.Check). Its error is a *LineError, or a *ForgottenError
// after which further lines can be fed, to learn what else was forgotten.
func (t *Tracker) Feed(at Stamp, op *Op) error {
	if op.Type == Apply || op.Type == Reject {
		return t.resourceLine(at, op)
	}
	if err := t.line(at, op); err != nil {
		return lineError(at, err)
	}
	if len(t.waiting) > 0 && op.Type == Invoke && (op.F == Read || op.F == Write) {
		return t.catchUp()
	}
	return nil
}

// Finish says that there are no more lines. Its error is a *LineError.
func (t *Tracker) Finish() error {
	for i := range t.waiting {
		w := &t.waiting[i]
		if err := t.serve(w.at, &w.op); err != nil {
			return lineError(w.at, err)
		}
	}
	t.waiting = nil
	var first *LineError
	for _, p := range t.processes {
		for _, g := range p.Grants {
			for _, r := range g.Requests {
				if err := r.checkAnswer(); err != nil && (first == nil || r.Answer.Line < first.Line) {
					first = &LineError{Line: r.Answer.Line, Err: err}
				}
			}
		}
	}
	if first != nil {
		return first
	}
	return nil
}

// lineError names the line of an error that is about the history.
func lineError(at Stamp, err error) error {
	var forgotten *ForgottenError
	var named *LineError
	if errors.As(err, &forgotten) || errors.As(err, &named) {
		return err
	}
	return &LineError{Line: at.Line, Err: err}
}

// Remembered is how many grants, requests, processes and lines of the resource are remembered now.
func (t *Tracker) Remembered() int {
	return t.grants - len(t.free) + t.requests + len(t.processes) + len(t.waiting)
}

// index is a free index for a grant.
func (t *Tracker) index() int {
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		return i
	}
	t.grants++
	return t.grants - 1
}

// over forgets the request, which has been answered or served, if nothing more can come of it: it was both, or its
// worker knows that it never reached the resource.
func (t *Tracker) over(r *Request) {
	g := r.Grant
	if r.Outcome == "" || r.Seq == 0 && r.Outcome != Fail || t.retain.Retains(g) {
		return
	}
	if i, ok := slices.BinarySearchFunc(g.Requests, r.N, func(r *Request, n int64) int { return cmp.Compare(r.N, n) }); ok {
		g.Requests = cut(g.Requests, i)
		g.forgot = true
		t.requests--
	}
	t.forget(g)
}

// cut takes out one of a list. The first one goes without moving the others.
func cut[T any](list []*T, i int) []*T {
	if i == 0 {
		list[0] = nil
		return list[1:]
	}
	return slices.Delete(list, i, i+1)
}

// forget forgets the grant if it is over, and not recent or the last of its process.
func (t *Tracker) forget(g *Grant) {
	p := g.Process
	switch {
	case g.Outcome == "", g.Outcome == OK && !g.givenUp(), len(g.Requests) > 0:
		return
	case p.info == 0 && len(p.Grants) > 0 && g.N >= p.Grants[max(0, len(p.Grants)-recent)].N:
		return
	case t.retain.Retains(g):
		return
	}
	if i, ok := p.find(g.N); ok {
		p.Grants = cut(p.Grants, i)
		p.forgot = true
		t.to.Forgotten(g)
		t.free = append(t.free, g.Index)
	}
}

// forgetRecent forgets what is no longer recent: a newer acquire was invoked, or the process makes no more calls.
func (t *Tracker) forgetRecent(p *Process) {
	if n := len(p.Grants); p.info == 0 && n > recent {
		t.forget(p.Grants[n-recent-1])
		return
	}
	for i := len(p.Grants) - 1; p.info != 0 && i >= 0 && i >= len(p.Grants)-recent-1; i-- {
		t.forget(p.Grants[i])
	}
}
