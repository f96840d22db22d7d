package faults

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// fakeProcess is a process in memory, which refuses what makes no sense.
type fakeProcess struct {
	mu        sync.Mutex
	up        bool
	suspended bool
	data      bool
	calls     []string
	fail      map[string]bool // methods that fail, once each
	block     chan struct{}   // if set, Kill waits until it is closed
	durable   error
	skew      time.Duration
	skews     int // how often it was moved
}

func newFake() *fakeProcess { return &fakeProcess{up: true, data: true, fail: map[string]bool{}} }

var errPlanned = errors.New("as planned")

// do is the way of all methods; legal says whether the call makes sense.
func (f *fakeProcess) do(name string, legal func() bool, effect func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, name)
	if f.fail[name] {
		delete(f.fail, name)
		return fmt.Errorf("%s: %w", name, errPlanned)
	}
	if !legal() {
		return fmt.Errorf("%s makes no sense: up %v, suspended %v", name, f.up, f.suspended)
	}
	effect()
	return nil
}

func (f *fakeProcess) Suspend() error {
	return f.do("suspend", func() bool { return f.up && !f.suspended }, func() { f.suspended = true })
}

func (f *fakeProcess) Continue() error {
	return f.do("continue", func() bool { return !f.up || f.suspended }, func() { f.suspended = false })
}

func (f *fakeProcess) Kill() error {
	if f.block != nil {
		<-f.block
	}
	return f.do("kill", func() bool { return true }, func() { f.up, f.suspended = false, false })
}

func (f *fakeProcess) Start(ctx context.Context) error {
	return f.do("start", func() bool { return !f.up && ctx.Err() == nil }, func() { f.up = true })
}

func (f *fakeProcess) Wipe() error {
	return f.do("wipe", func() bool { return !f.up }, func() { f.data = false })
}

func (f *fakeProcess) Durable() error { return f.durable }

func (f *fakeProcess) SkewClock(offset time.Duration) error {
	return f.do("skew", func() bool { return true }, func() { f.skew, f.skews = offset, f.skews+1 })
}

// clock is by how much the clock is off, and how often it was moved.
func (f *fakeProcess) clock() (time.Duration, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.skew, f.skews
}

// state is "running", "paused" or "down".
func (f *fakeProcess) state() condition {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.up:
		return down
	case f.suspended:
		return paused
	}
	return running
}

// took returns and forgets the calls.
func (f *fakeProcess) took() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := strings.Join(f.calls, " ")
	f.calls = nil
	return calls
}

// fakes makes processes n1 … of that number.
func fakes(n int) (map[string]*fakeProcess, *Processes) {
	all := map[string]*fakeProcess{}
	for i := range n {
		all[fmt.Sprintf("n%d", i+1)] = newFake()
	}
	return all, NewProcesses(func(host string) (Process, error) {
		if f, ok := all[host]; ok {
			return f, nil
		}
		return nil, errors.New("nobody of that name")
	})
}
