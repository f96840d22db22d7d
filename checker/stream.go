package checker

import (
	"errors"
	"fmt"

	"github.com/lockbench/lockbench/checker/history"
)

// ErrOutOfOrder is the error of a line whose time is before that of a line that was fed already.
var ErrOutOfOrder = errors.New("the lines are not in the order of their times")

// ErrForgotten is the error of a history with a line about what was over long ago: that line was not judged.
var ErrForgotten = errors.New("a line is about a grant that was over long ago")

// MaxOpen is how much may be open at a time: acquires, holds, requests, faults, processes, locks, and the violations
// that wait for an end. Each takes about a kilobyte, so that they fit into 2 GB. A run of lockbench has a few hundred.
const MaxOpen = 1 << 21

// Stream judges a history that it is fed line by line, in the order of their times; only the resource's lines may
// come at any place, in their own order. Its memory is bound by what is open at a time (acquires, holds, requests
// that may still be served), by the violations and by the numbers of processes and locks, not by how many lines there
// are. It is not safe for concurrent use.
type Stream struct {
	tracker *history.Tracker
	sweep   *sweep
	window  *window // nil: the lines are fed in order
	lines   int
	index   int64
}

// NewStream returns a Stream that has been fed nothing.
func NewStream(opt Options) *Stream { return newStream(opt, newRetain(), 0) }

func newStream(opt Options, r *retain, size int) *Stream {
	s := &Stream{sweep: newSweep(opt, r), index: -1}
	if size > 0 {
		s.window = newWindow(size)
	}
	s.tracker = history.NewTracker(s.sweep, history.Retain{All: r.all, Grants: r.grants})
	return s
}

// Feed takes the next line of a history. Its error is ErrOutOfOrder or a *history.LineError, and final.
func (s *Stream) Feed(op *history.Op) error {
	s.lines++
	if err := op.Check(); err != nil {
		return &history.LineError{Line: s.lines, Err: err}
	}
	if err := history.CheckIndex(s.index, op); err != nil {
		return &history.LineError{Line: s.lines, Err: err}
	}
	s.index = op.Index
	at := history.Stamp{Time: op.Time, Line: s.lines}
	if s.window == nil {
		return s.feed(at, op)
	}
	if err := s.window.put(at, op); err != nil {
		return err
	}
	return s.drain()
}

// drain feeds what the window does not hold.
func (s *Stream) drain() error {
	for l, ok := s.window.take(); ok; l, ok = s.window.take() {
		if err := s.feed(l.at, &l.op); err != nil {
			return err
		}
	}
	return nil
}

// feed takes the next line in the order of times.
func (s *Stream) feed(at history.Stamp, op *history.Op) error {
	if err := s.sweep.clock(op); err != nil {
		return err
	}
	if err := s.note(s.tracker.Feed(at, op)); err != nil {
		return err
	}
	if most := s.sweep.retain.open; most > 0 && s.tracker.Remembered()+s.sweep.remembered() > most {
		return &history.LineError{Line: at.Line, Err: fmt.Errorf("more than %d acquires, requests, faults, processes and locks are open at once, which takes too much memory: "+
			"split the history by lock, or write the releases", most)}
	}
	return nil
}

// note notes what was forgotten; the lines that follow may tell what else was.
func (s *Stream) note(err error) error {
	var forgotten *history.ForgottenError
	if errors.As(err, &forgotten) {
		s.sweep.retain.missGrant(forgotten.Grant)
		return nil
	}
	return err
}

// Finish judges the lines that were fed. Its error is a *history.LineError: they are not a well-formed history, which
// is never judged. Or it is ErrForgotten.
func (s *Stream) Finish() (Result, error) {
	if s.window != nil {
		s.window.size = 0
		if err := s.drain(); err != nil {
			return Result{}, err
		}
	}
	err := s.note(s.tracker.Finish())
	if err == nil {
		s.sweep.finish()
	}
	if s.sweep.retain.missing() {
		return Result{}, ErrForgotten
	}
	if err != nil {
		return Result{}, err
	}
	return s.sweep.judge(), nil
}

// retain is what must be remembered although it is over, because lines that come much later are about it.
type retain struct {
	all    bool
	grants map[history.GrantKey]bool
	tokens map[lockToken]bool
	// missed counts what was not remembered. It is then in grants and tokens, for another pass over the history.
	missed int
	// watched is how many grants are remembered that may have overlapped a hold which nothing ended. Its client may
	// have died of itself, and then none did. Else one is missed.
	watched int
	// rivals is among how many grants at a time a later one is looked for.
	rivals int
	// open is how much may be open at a time; 0: any number.
	open int
	// newest is how many tokens of a lock are remembered with the grants that had them first.
	newest int
}

func newRetain() *retain { return &retain{watched: 256, rivals: 32, newest: 32, open: MaxOpen} }

// lockToken is a token of a lock.
type lockToken struct {
	lock  string
	token uint64
}

func (r *retain) missing() bool { return r.missed > 0 }

// retains reports whether everything about the grant is remembered.
func (r *retain) retains(g *grant) bool { return r.all || len(r.grants) > 0 && r.grants[g.key()] }

func (r *retain) missGrant(g history.GrantKey) {
	if r.grants == nil {
		r.grants = map[history.GrantKey]bool{}
	}
	r.grants[g] = true
	r.missed++
}

func (r *retain) missToken(t lockToken) {
	if r.tokens == nil {
		r.tokens = map[lockToken]bool{}
	}
	r.tokens[t] = true
	r.missed++
}
