package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/rng"
)

// worker owns one session with the locks and one connection to the resource, and runs cycle after cycle.
type worker struct {
	client   *client
	index    int
	process  int64
	grant    int64 // acquires of this process so far
	random   *rand.Rand
	recorder *recorder.Recorder
	resource *resource.Client
	locker   drivers.Locker // nil: no session
	sessions int
	outer    *cycle // whose grant is held around the cycle that runs; nil: none

	mu       sync.Mutex
	workload *Workload     // nil: rest
	changed  chan struct{} // closed and replaced when workload changes
	idle     chan struct{} // closed while the worker rests
}

func newWorker(c *client, i int) (*worker, error) {
	rec, err := recorder.Create(filepath.Join(c.open.Dir, fmt.Sprintf("%s.%d-w%d.stream", c.open.Client, c.open.Life, i+1)))
	if err != nil {
		return nil, err
	}
	idle := make(chan struct{})
	close(idle)
	return &worker{
		client: c, index: i, process: c.open.FirstProcess + int64(i),
		random:   rng.Stream(c.open.Seed, fmt.Sprintf("worker %s.%d", c.open.Client, c.open.Life), i),
		recorder: rec, resource: resource.NewClient(c.open.Resource, c.open.Secret),
		changed: make(chan struct{}), idle: idle,
	}, nil
}

// assign sets the workload from the next cycle on.
func (w *worker) assign(load *Workload, active bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.workload = nil
	if active {
		w.workload = load
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

// rest takes the workload away and waits until the cycle in progress is over.
func (w *worker) rest(ctx context.Context) {
	w.assign(nil, false)
	for {
		w.mu.Lock()
		idle, changed := w.idle, w.changed
		w.mu.Unlock()
		select {
		case <-idle:
			return
		case <-changed: // there is work again
			return
		case <-ctx.Done():
			return
		}
	}
}

// next waits for a workload and returns it with the channel that announces another. rested reports whether there was
// none meanwhile.
func (w *worker) next(ctx context.Context) (_ *Workload, _ <-chan struct{}, rested bool) {
	for {
		w.mu.Lock()
		load, changed := w.workload, w.changed
		select {
		case <-w.idle:
			if load != nil {
				w.idle = make(chan struct{})
			}
		default:
			if load == nil {
				close(w.idle)
			}
		}
		w.mu.Unlock()
		if load != nil {
			return load, changed, rested
		}
		rested = true
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, nil, rested
		}
	}
}

func (w *worker) run(ctx context.Context) (err error) {
	defer func() {
		if w.locker != nil {
			_ = w.locker.Close() // the server may be out of reach for good: it ends the session by itself
		}
		_ = w.resource.Close()
		err = errors.Join(err, w.recorder.Close())
	}()
	var current *Workload
	var intended int64 // on the history's clock
	for {
		load, changed, rested := w.next(ctx)
		if load == nil {
			return nil
		}
		if current == nil || rested || load.Interval != current.Interval {
			// Workers of an open loop start spread over one interval, so that they do not ask all at once. The loop goes
			// on from phase to phase: what was due in one and could not be asked for waits in the next.
			intended = w.client.clock.Now() + int64(w.random.Float64()*float64(load.Interval))
		}
		current = load
		if !w.pace(ctx, load, changed, intended) {
			continue
		}
		var due int64
		if load.Interval > 0 {
			due = intended
			intended += int64(load.Interval)
		}
		if err := w.cycle(ctx, load, changed, due); err != nil {
			return err
		}
	}
}

// cycle takes a lock that it draws, or two.
func (w *worker) cycle(ctx context.Context, load *Workload, changed <-chan struct{}, due int64) error {
	n := len(load.Locks)
	first := w.random.IntN(n)
	c := cycle{worker: w, load: load, changed: changed, lock: load.Locks[first], intended: due}
	if !load.OppositeOrder {
		return c.run(ctx)
	}
	second := (first + 1 + w.random.IntN(n-1)) % n
	// Every pair of locks is taken in both orders: upwards by one half of the workers, downwards by the other.
	if (first < second) == (w.process%2 == 0) {
		first, second = second, first
	}
	c.lock = load.Locks[first]
	inner := c
	inner.lock, inner.intended = load.Locks[second], 0
	return c.runAround(ctx, &inner)
}

// pace waits until the next cycle is due; false: the workload changed meanwhile, or the client ends.
func (w *worker) pace(ctx context.Context, load *Workload, changed <-chan struct{}, intended int64) bool {
	pause := w.draw(load.ThinkMin, load.ThinkMax)
	if load.Interval > 0 {
		pause = time.Duration(intended - w.client.clock.Now())
	}
	if pause <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-changed:
		return false
	case <-ctx.Done():
		return false
	}
}

func (w *worker) draw(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(w.random.Int64N(int64(high-low)+1))
}

// maxOpening is how many workers of a client open their sessions at the same time. If hundreds did, on a busy machine,
// all would take longer than they may, and none would get through.
const maxOpening = 16

// session opens the session with the locks if there is none.
func (w *worker) session(ctx context.Context) error {
	if w.locker != nil {
		return nil
	}
	select {
	case w.client.opening <- struct{}{}:
		defer func() { <-w.client.opening }()
	case <-ctx.Done():
		return fmt.Errorf("wait until other workers of this client have opened their sessions: %w", ctx.Err())
	}
	w.sessions++
	name := fmt.Sprintf("session %s.%d w%d", w.client.open.Client, w.client.open.Life, w.index+1)
	locker, err := w.client.driver.Open(ctx, w.client.open.Servers, drivers.Options{
		Credentials: w.client.open.Credentials, TTL: w.client.open.TTL, Namespace: w.client.open.Namespace, Rand: rng.Stream(w.client.open.Seed, name, w.sessions),
	})
	if err != nil {
		return err
	}
	w.locker = locker
	return nil
}

// restart ends the session, and goes on under a new process number: what the old one did may yet take effect.
func (w *worker) restart() error {
	if outer := w.outer; outer != nil { // another grant of this session is used no more from here on
		w.outer = nil
		if _, err := w.record(outer.op(history.Abandon, history.OK)); err != nil {
			return err
		}
	}
	if w.locker != nil {
		_ = w.locker.Close() // its connection is in doubt already, that is why it ends
		w.locker = nil
	}
	_ = w.resource.Close()
	w.process += w.client.open.Stride
	w.grant = 0
	return nil
}

// record stamps and stores one op of this worker and returns its time.
func (w *worker) record(op history.Op) (int64, error) {
	if op.Time == 0 {
		op.Time = w.client.clock.Now()
	}
	op.Client, op.Process = w.client.open.Client, w.process
	return op.Time, w.recorder.Append(&op)
}
