package history

import "fmt"

// Parse checks that the lines are a well-formed history and takes it apart. Its error is a *LineError: a history
// with an error proves nothing, so nothing of it is returned.
func Parse(ops []Op) (*History, error) {
	h := &History{Ops: ops}
	t := NewTracker(collector{h}, Retain{All: true})
	index := int64(-1)
	for i := range ops {
		op, at := &ops[i], Stamp{Time: ops[i].Time, Line: i + 1}
		if err := op.Check(); err != nil {
			return nil, &LineError{Line: at.Line, Err: err}
		}
		if err := CheckIndex(index, op); err != nil {
			return nil, &LineError{Line: at.Line, Err: err}
		}
		index = op.Index
		if op.IsNemesis() {
			h.Nemesis = append(h.Nemesis, i)
		}
		if err := t.Feed(at, op); err != nil {
			return nil, err
		}
	}
	if err := t.Finish(); err != nil {
		return nil, err
	}
	return h, nil
}

// CheckIndex checks the index of a line; last is that of the line before it, -1 if there is none.
func CheckIndex(last int64, op *Op) error {
	if op.Index <= last {
		return fmt.Errorf("index %d does not follow %d; it numbers the lines from 0", op.Index, last)
	}
	return nil
}

// collector collects what a Tracker tells.
type collector struct{ history *History }

// Line implements Observer, as do the methods below.
func (c collector) Line(p *Process, at Stamp) {
	if p.First == at {
		c.history.Processes = append(c.history.Processes, p)
	}
}

func (c collector) Invoked(g *Grant)     { c.history.Grants = append(c.history.Grants, g) }
func (c collector) Served(r *Request)    { c.history.Sequenced = append(c.history.Sequenced, r) }
func (collector) Returned(*Grant)        {}
func (collector) GivenUp(*Grant)         {}
func (collector) ToldLost(*Grant, Stamp) {}
func (collector) Unreleased(*Process)    {}
func (collector) Requested(*Request)     {}
func (collector) Answered(*Request)      {}
func (collector) Nemesis(*Op)            {}
func (collector) Forgotten(*Grant)       {}
