package run

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/internal/monotime"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/run/nemesis"
)

// watch waits for what the workers of a test do. It is a nemesis.Watch.
type watch struct {
	resource *resource.Server
	feed     *recorder.Feed
	clock    monotime.Clock
	bound    time.Duration
	attempts int // that must be seen during a fault
}

// Bound implements nemesis.Watch, as do the methods below.
func (w *watch) Bound() time.Duration { return w.bound }

func (w *watch) GrantsSeen() int {
	all, _ := w.resource.Grants(0)
	return len(all)
}

func (w *watch) AwaitGrants(ctx context.Context, next, n int, counts func(resource.GrantSeen) bool) (bool, error) {
	timer := time.NewTimer(w.bound)
	defer timer.Stop()
	for n > 0 {
		fresh, more := w.resource.Grants(next)
		next += len(fresh)
		for _, g := range fresh {
			if counts(g) {
				n--
			}
		}
		if n <= 0 {
			break
		}
		select {
		case <-more:
		case <-timer.C:
			return false, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	return true, nil
}

func (w *watch) AttemptsFromNow() nemesis.Attempts {
	var began atomic.Int64
	began.Store(math.MaxInt64)
	a := &attempts{watch: w}
	a.end = w.feed.Subscribe(recorder.Subscription{F: []string{history.Acquire}, Workers: true, Take: func(_ string, ops []history.Op) {
		for i := range ops {
			if ops[i].Type == history.Invoke && ops[i].Time >= began.Load() {
				a.n.Add(1)
			}
		}
	}})
	began.Store(w.clock.Now()) // whatever has a later stamp was not read before
	return a
}

// attempts counts the acquires that are invoked from a moment on.
type attempts struct {
	watch *watch
	end   func() // of the count
	n     atomic.Int64
}

// Stop implements nemesis.Attempts.
func (a *attempts) Stop() { a.end() }

// Await implements nemesis.Attempts. A worker that waits for a lock that blocks asks again only when the acquire
// times out, and a busy machine stretches that. The clients' streams tell: nothing of an attempt that is refused
// reaches the resource.
func (a *attempts) Await(ctx context.Context) error {
	w := a.watch
	for deadline := time.Now().Add(w.bound); time.Now().Before(deadline); {
		if err := w.feed.Look(); err != nil || a.n.Load() >= int64(w.attempts) {
			return err
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
