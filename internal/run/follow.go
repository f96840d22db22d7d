package run

import (
	"context"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/checker/judge"
	"github.com/lockbench/lockbench/internal/progress"
)

const (
	// lookEvery is how often a test that goes on is judged.
	lookEvery = 500 * time.Millisecond
	// toldAtMost is how many violations of a test are told in words while it goes on. The verdict tells of all.
	toldAtMost = 3
)

// follow judges the test while it goes on, and tells of violations as they appear. What it says is saved nowhere: it is
// provisional, and the verdict comes from the whole history. The caller calls stop before the streams are merged.
func (t *test) follow(ctx context.Context) (stop func()) {
	if t.run.cfg.Progress == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, told := judge.Follow(t.feed, t.meta.Check), map[checker.ViolationID]bool{}
		defer f.Close()
		for sleep(ctx, lookEvery) == nil {
			known, err := f.Look()
			if err != nil {
				t.emit(progress.Event{Kind: progress.Note, Text: fmt.Sprintf("it is judged only when it is over: %v", err)})
				t.incidents.Store(nil)
				return
			}
			n := len(known.Violations)
			t.incidents.Store(&n)
			for i := range known.Violations {
				v := &known.Violations[i]
				if len(told) >= toldAtMost {
					break
				}
				if !told[v.ID()] {
					told[v.ID()] = true
					t.emit(progress.Event{Kind: progress.Violation, Violation: v, Text: explain.Violation(v, known.Begin)})
				}
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
