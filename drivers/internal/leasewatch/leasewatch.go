// Package leasewatch tells the holder of a lease that expires when it may no longer assume that it holds, and extends
// the lease meanwhile if asked to. The locks of Redis and the lease lock of PostgreSQL use it.
package leasewatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lockbench/lockbench/drivers"
)

// Extend asks the servers to extend the lease, and returns until when it holds then. An error that Is
// drivers.ErrNotHeld says that it is gone. After any other error Extend is called again, for as long as the lease lasts.
type Extend func(ctx context.Context) (until time.Time, err error)

// retriesPerPeriod is how many pauses between failed extensions fill the time between two that succeed.
const retriesPerPeriod = 4

// marginsPerTTL says how early a holder gives up: clocks drift, and timers are late. Redlock's clients allow for as
// much.
const marginsPerTTL = 100

// End is when a holder gives up its lease. It is counted from before the request that got or extended the lease was
// sent. The server counts from when it received that request.
func End(sent time.Time, ttl time.Duration) time.Time { return sent.Add(ttl - ttl/marginsPerTTL) }

// Watch is the watch over one lease. It is a timer: a goroutine that every acquire started would take the processor
// from the server whose latency is being measured.
type Watch struct {
	ctx    context.Context
	every  time.Duration
	extend Extend
	lost   chan struct{}

	mu    sync.Mutex
	timer *time.Timer
	until time.Time
	again time.Time          // when to extend
	over  bool               // lost, or stopped
	under chan struct{}      // closed when the extension under way ends; nil: none is
	abort context.CancelFunc // of the extension under way
}

// Start watches a lease that holds until then, for as long as ctx lives. extend is called every so often; nil: the
// lease is not renewed. Nothing delays the loss: an extension under way goes on by itself, and is given up when the
// lease ends.
func Start(ctx context.Context, until time.Time, every time.Duration, extend Extend) *Watch {
	w := &Watch{
		ctx: ctx, every: every, extend: extend, lost: make(chan struct{}), until: until, again: time.Now().Add(every),
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.next(), w.fire)
	return w
}

// next is the time until the lease ends, or until it is to be extended.
func (w *Watch) next() time.Duration {
	if w.extend == nil || w.under != nil || w.until.Before(w.again) {
		return time.Until(w.until)
	}
	return time.Until(w.again)
}

// fire runs when the timer does, also while an extension is under way in an earlier run.
func (w *Watch) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	switch {
	case w.over || w.ctx.Err() != nil:
		return
	case !now.Before(w.until):
		w.lose()
		return
	case w.extend != nil && w.under == nil && !now.Before(w.again):
		w.renew()
	}
	if !w.over {
		w.timer.Reset(w.next())
	}
}

// renew extends the lease. It leaves the mutex to others until that has succeeded or failed.
func (w *Watch) renew() {
	began := time.Now()
	// Half of the time that is left is for another try. Who waits for all of several servers answers only at the end.
	ctx, cancel := context.WithTimeout(w.ctx, min(w.every, w.until.Sub(began)/2))
	defer cancel()
	w.under, w.abort = make(chan struct{}), cancel
	w.timer.Reset(w.next())
	w.mu.Unlock()
	until, err := w.extend(ctx)
	w.mu.Lock()
	close(w.under)
	w.under = nil
	switch {
	case w.over:
	case errors.Is(err, drivers.ErrNotHeld):
		w.lose()
	case err != nil:
		w.again = time.Now().Add(w.every / retriesPerPeriod)
	default:
		w.until, w.again = until, began.Add(w.every)
	}
}

// lose tells the holder.
func (w *Watch) lose() {
	w.end()
	close(w.lost)
}

// end is the end of the watch. It returns what is closed when the extension under way has ended; nil: none is.
func (w *Watch) end() (under <-chan struct{}) {
	w.over = true
	w.timer.Stop()
	if w.under != nil {
		w.abort()
	}
	return w.under
}

// Lost is closed once the lease may have expired, or is known to be gone. Stop does not close it.
func (w *Watch) Lost() <-chan struct{} { return w.lost }

// Stop ends the watch, and waits until no extension is under way or ctx ends.
func (w *Watch) Stop(ctx context.Context) {
	w.mu.Lock()
	under := w.end()
	w.mu.Unlock()
	if under == nil {
		return
	}
	select {
	case <-under:
	case <-ctx.Done():
	}
}
