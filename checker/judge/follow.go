package judge

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
)

// late is by how much a line may come later than those of others and still be judged in its turn, in nanoseconds: a
// worker stamps an op before it records it, and may have to wait for a processor in between.
const late = int64(500e6)

// Follower judges a test while it goes on, by the streams of its history. What it says is provisional: a client that
// stands still may have stamped an op that it records only when it goes on. Then everything is judged again. It is
// not safe for concurrent use.
type Follower struct {
	feed   *recorder.Feed
	opt    checker.Options
	end    func() // of the subscription
	stream *checker.Stream

	mu     sync.Mutex              // guards what the feed hands over
	ops    map[string][]history.Op // of each stream: what was read and is not fed yet
	order  []string                // of the streams, as they were found
	lines  int64                   // that were fed
	newest int64                   // the time of the newest line that was read
}

// Follow returns a Follower of the feed's streams, which reads them from their beginnings. The caller calls Close.
func Follow(feed *recorder.Feed, opt checker.Options) *Follower {
	f := &Follower{feed: feed, opt: opt}
	f.restart()
	return f
}

// Close ends the subscription to the feed.
func (f *Follower) Close() { f.end() }

func (f *Follower) restart() {
	f.stream, f.ops, f.order, f.lines, f.newest = checker.NewStream(f.opt), map[string][]history.Op{}, nil, 0, 0
	f.end = f.feed.Subscribe(recorder.Subscription{Past: true, Take: f.take})
}

// take keeps what was read.
func (f *Follower) take(stream string, ops []history.Op) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ops[stream] == nil {
		f.order = append(f.order, stream)
	}
	f.ops[stream] = append(f.ops[stream], ops...)
	f.newest = max(f.newest, ops[len(ops)-1].Time)
}

// Look reads what is new and says what is known by now. Its error is final: the streams cannot be read, or are no
// well-formed history.
func (f *Follower) Look() (checker.SoFar, error) {
	err := f.advance()
	if errors.Is(err, checker.ErrOutOfOrder) {
		f.end()
		f.restart()
		err = f.advance()
	}
	if err != nil {
		return checker.SoFar{}, fmt.Errorf("judge %s while it goes on: %w", f.feed.Dir(), err)
	}
	return f.stream.SoFar(), nil
}

// advance feeds the checker, in the order of their times, the lines before which nothing should come any more.
func (f *Follower) advance() error {
	if err := f.feed.Look(); err != nil {
		return err
	}
	for _, op := range history.Merge(f.due()...) {
		op.Index = f.lines
		f.lines++
		if err := f.stream.Feed(&op); err != nil {
			return err
		}
	}
	return nil
}

// due takes those lines from what was read.
func (f *Follower) due() (due [][]history.Op) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range f.order {
		ops, n := f.ops[name], 0
		for n < len(ops) && ops[n].Time <= f.newest-late {
			n++
		}
		due = append(due, slices.Clone(ops[:n]))
		f.ops[name] = slices.Delete(ops, 0, n) // in place: the array does not grow with the test
	}
	return due
}
