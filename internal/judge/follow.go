package judge

import (
	"errors"
	"fmt"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/recorder"
)

// late is by how much a line may come later than those of others and still be judged in its turn, in nanoseconds: a worker
// stamps an op before it records it, and may have to wait for a processor in between.
const late = int64(500e6)

// Follower judges a test while it goes on, by the streams of its history. What it says is provisional: a client that stands
// still may have stamped an op that it records only when it goes on. Then everything is judged again. It is not
// safe for concurrent use.
type Follower struct {
	dir    string
	opt    checker.Options
	tails  map[string]*followed
	order  []*followed // as they were found
	stream *checker.Stream
	lines  int64 // that were fed
	newest int64 // the time of the newest line that was read
}

// followed is one stream, and what was read of it and not fed yet.
type followed struct {
	*recorder.Tail
	ops []history.Op
}

// Follow returns a Follower of the streams in dir, which need not be there yet.
func Follow(dir string, opt checker.Options) *Follower {
	f := &Follower{dir: dir, opt: opt}
	f.restart()
	return f
}

func (f *Follower) restart() {
	f.tails, f.order, f.stream, f.lines = map[string]*followed{}, nil, checker.NewStream(f.opt), 0
}

// Look reads what is new and says what is known by now. Its error is final: the streams cannot be read, or are no
// well-formed history.
func (f *Follower) Look() (checker.SoFar, error) {
	err := f.advance()
	if errors.Is(err, checker.ErrOutOfOrder) {
		f.restart()
		err = f.advance()
	}
	if err != nil {
		return checker.SoFar{}, fmt.Errorf("judge %s while it goes on: %w", f.dir, err)
	}
	return f.stream.SoFar(), nil
}

// advance reads what is new in all streams, and feeds in the order of their times the lines before which nothing
// should come any more.
func (f *Follower) advance() error {
	paths, err := recorder.Streams(f.dir, "")
	if err != nil {
		return err
	}
	for _, path := range paths {
		t, ok := f.tails[path]
		if !ok {
			t = &followed{Tail: recorder.NewTail(path)}
			f.tails[path], f.order = t, append(f.order, t)
		}
		ops, err := t.Next()
		if err != nil {
			return err
		}
		t.ops = append(t.ops, ops...)
		if len(ops) > 0 {
			f.newest = max(f.newest, ops[len(ops)-1].Time)
		}
	}
	var ready [][]history.Op
	for _, t := range f.order {
		n := 0
		for n < len(t.ops) && t.ops[n].Time <= f.newest-late {
			n++
		}
		ready = append(ready, t.ops[:n])
		t.ops = t.ops[n:]
	}
	for _, op := range history.Merge(ready...) {
		op.Index = f.lines
		f.lines++
		if err := f.stream.Feed(&op); err != nil {
			return err
		}
	}
	return nil
}
