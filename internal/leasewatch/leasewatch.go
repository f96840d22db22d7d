// Package leasewatch tells the holder of a key that expires when it may no longer assume that it holds, and extends
// the key meanwhile if asked to. Both locks of Redis use it.
package leasewatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lockbench/lockbench/drivers"
)

// Extend asks the servers to extend the lease, and returns until when it holds then. An error that Is
// drivers.ErrNotHeld says that it is gone; after any other it may be tried again.
type Extend func(ctx context.Context) (until time.Time, err error)

// Watch is the watch over one lease. It is a timer: a goroutine that every acquire started would take the processor
// from the server whose latency is being measured.
type Watch struct {
	ctx    context.Context
	every  time.Duration
	extend Extend
	lost   chan struct{}

	mu      sync.Mutex
	timer   *time.Timer
	until   time.Time
	stopped bool
	cancel  context.CancelFunc // of the extension under way
	running sync.WaitGroup
}

// Start watches a lease that holds until then, for as long as ctx lives. extend is called every so often; nil: the
// lease is not renewed. A call under way never delays the loss: its context ends with the lease.
func Start(ctx context.Context, until time.Time, every time.Duration, extend Extend) *Watch {
	w := &Watch{ctx: ctx, every: every, extend: extend, lost: make(chan struct{}), until: until}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.next(), w.fire)
	return w
}

// next is the time until the lease ends, or until it is to be extended.
func (w *Watch) next() time.Duration {
	left := time.Until(w.until)
	if w.extend != nil {
		return min(left, w.every)
	}
	return left
}

// fire runs when the timer does; it is never run twice at once, for only it sets the timer again.
func (w *Watch) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped || w.ctx.Err() != nil {
		return
	}
	if !time.Now().Before(w.until) {
		close(w.lost)
		return
	}
	if w.extend == nil { // the timer was early
		w.timer.Reset(w.next())
		return
	}
	end := time.Now().Add(w.every) // so that a server out of reach leaves time for another try
	if w.until.Before(end) {
		end = w.until
	}
	ctx, cancel := context.WithDeadline(w.ctx, end)
	w.cancel = cancel
	w.running.Add(1)
	w.mu.Unlock()
	until, err := w.extend(ctx)
	cancel()
	w.running.Done()
	w.mu.Lock()
	switch {
	case w.stopped || w.ctx.Err() != nil:
		return
	case errors.Is(err, drivers.ErrNotHeld):
		close(w.lost)
		return
	case err == nil:
		w.until = until
	}
	w.timer.Reset(max(0, w.next()))
}

// Lost is closed once the lease may have expired, or is known to be gone. Stop does not close it.
func (w *Watch) Lost() <-chan struct{} { return w.lost }

// Stop ends the watch and waits until no extension is under way.
func (w *Watch) Stop() {
	w.mu.Lock()
	w.stopped = true
	w.timer.Stop()
	if w.cancel != nil {
		w.cancel()
	}
	w.mu.Unlock()
	w.running.Wait()
}
