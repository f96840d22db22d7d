package history

import (
	"cmp"
	"slices"
)

// Stamp is where a line stands: its time, and its number from 1. Times order lines of different processes as far
// as they differ; lines of one process are ordered by number. The zero Stamp is that of no line.
type Stamp struct {
	Time int64
	Line int
}

// Exists reports whether there is such a line.
func (s Stamp) Exists() bool { return s.Line > 0 }

// Grant is one acquire and all that was done under it. It is a grant only if Outcome is OK.
type Grant struct {
	// Index is its place in History.Grants. Of a Tracker that forgets it is only unique among the grants that are
	// remembered.
	Index   int
	Process *Process
	// N numbers the acquires of the process.
	N      int64
	Lock   string
	Invoke Stamp
	// Return is the end of the acquire and Outcome how it ended; empty: it never did.
	Return  Stamp
	Outcome Type
	// Intended is when the load should have invoked the acquire, or 0. Error is the text of the error with which it
	// ended.
	Intended int64
	Error    string
	// Token is absent if the lock has none.
	Token Uint
	// Release is the first call of release, Abandon the first line of that name.
	Release, Abandon Stamp
	// Requests are in the order of their numbers. A Tracker that forgets leaves out those that are over.
	Requests []*Request

	// asked is the number and invoked the line of the newest request.
	asked   int64
	invoked int
	forgot  bool // a request
}

// Request is one read or write of the resource, on both sides.
type Request struct {
	Grant  *Grant
	N      int64
	F      string
	Invoke Stamp
	// Answer is the worker's end of the request and Outcome how it ended; empty: it never did.
	Answer  Stamp
	Outcome Type
	// Token is what the request carried, Base what a write was based on.
	Token, Base Uint
	// Seq is the resource's order; 0: the request never reached the resource, and what follows is empty.
	Seq    uint64
	Served Stamp
	// Rejected is true if the fence refused the request.
	Rejected bool
	// Version is that of the item after the request; not set if it was rejected.
	Version Uint
	// answered is the version that the worker was told.
	answered Uint
}

// Process is one worker, under one of its numbers.
type Process struct {
	// Index is its place in the order of first lines.
	Index  int
	N      int64
	Client string
	// First and Last are its own lines; what the resource writes about it is not.
	First, Last Stamp
	// Grants are its acquires, in the order of their numbers. A Tracker that forgets leaves out those that are over.
	Grants []*Grant

	acquire *Grant   // the acquire that is open
	request *Request // the request that is open
	release *Grant   // the grant whose release is open
	info    int      // the line that ended as Info; 0: none
	// asked is the number and invoked the line of the newest acquire.
	asked   int64
	invoked int
	forgot  bool // an acquire
}

// History is a well-formed history, taken apart.
type History struct {
	Ops []Op
	// Processes are in the order of their first lines.
	Processes []*Process
	// Grants are all acquires in the order of their invokes, granted or not.
	Grants []*Grant
	// Sequenced are the requests that reached the resource, in its order.
	Sequenced []*Request
	// Nemesis are the indices in Ops of the nemesis's lines.
	Nemesis []int
}

// find finds the place of the acquire with number n.
func (p *Process) find(n int64) (int, bool) {
	// It is one of the newest, as a rule.
	for i := len(p.Grants) - 1; i >= 0 && i >= len(p.Grants)-4; i-- {
		if p.Grants[i].N == n {
			return i, true
		}
	}
	return slices.BinarySearchFunc(p.Grants, n, func(g *Grant, n int64) int { return cmp.Compare(g.N, n) })
}

// grant finds the acquire with number n, or nil.
func (p *Process) grant(n int64) *Grant {
	i, found := p.find(n)
	if !found {
		return nil
	}
	return p.Grants[i]
}

// givenUp reports whether the worker gave the grant up.
func (g *Grant) givenUp() bool { return g.Release.Exists() || g.Abandon.Exists() }

// request finds the request with number n, or nil.
func (g *Grant) request(n int64) *Request {
	i, found := slices.BinarySearchFunc(g.Requests, n, func(r *Request, n int64) int { return cmp.Compare(r.N, n) })
	if !found {
		return nil
	}
	return g.Requests[i]
}

// open is the line of the process's invoke that has no end yet, or the zero Stamp.
func (p *Process) open() Stamp {
	switch {
	case p.acquire != nil:
		return p.acquire.Invoke
	case p.request != nil:
		return p.request.Invoke
	case p.release != nil:
		return p.release.Release
	default:
		return Stamp{}
	}
}
