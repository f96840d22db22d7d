package progress

import (
	"slices"
	"sync"
	"time"
)

// Renderer shows events.
type Renderer interface {
	// Show shows what is new since the last call; nothing new: only time has passed.
	Show(events []Event) error
	// Close leaves the output as people and programs behind it expect it.
	Close() error
}

// Feed carries events to a renderer in a goroutine of its own, so that a slow terminal or reader holds up nobody. A
// tick that was not shown yet gives way to the next one of its test; the number of other events is bound by the
// scenario.
type Feed struct {
	mu     sync.Mutex
	queue  []Event
	closed bool

	wake chan struct{} // holds at most one: there is something new
	done chan struct{}
	err  error // of the renderer; read it after done
}

// Start shows events as they come and, if every is not 0, again after that time without any.
func Start(r Renderer, every time.Duration) *Feed {
	f := &Feed{wake: make(chan struct{}, 1), done: make(chan struct{})}
	go f.run(r, every)
	return f
}

// Emit queues the event. It never blocks, and may be called from several goroutines at once. After Close it does
// nothing.
func (f *Feed) Emit(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	if e.Kind == Tick {
		f.queue = slices.DeleteFunc(f.queue, func(o Event) bool { return o.Kind == Tick && o.Test == e.Test })
	}
	f.queue = append(f.queue, e)
	f.signal()
}

func (f *Feed) signal() {
	select {
	case f.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Close waits until all is shown, and returns the first error of the renderer, which was asked for nothing after it.
func (f *Feed) Close() error {
	f.mu.Lock()
	f.closed = true
	f.signal()
	f.mu.Unlock()
	<-f.done
	return f.err
}

func (f *Feed) run(r Renderer, every time.Duration) {
	defer close(f.done)
	var passed <-chan time.Time
	if every > 0 {
		t := time.NewTicker(every)
		defer t.Stop()
		passed = t.C
	}
	for {
		select {
		case <-f.wake:
		case <-passed:
		}
		f.mu.Lock()
		events, closed := f.queue, f.closed
		f.queue = nil
		f.mu.Unlock()
		if f.err == nil {
			f.err = r.Show(events)
		}
		if closed {
			if f.err == nil {
				f.err = r.Close()
			}
			return
		}
	}
}
