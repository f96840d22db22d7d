// Package processtest has processes in memory, for tests of what acts on processes.
package processtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/faults/processes"
)

// Fake is a process in memory, which refuses what makes no sense. Safe for concurrent use.
type Fake struct {
	Block      chan struct{} // if set, Kill waits until it is closed
	NotDurable error         // what Durable returns

	mu        sync.Mutex
	up        bool
	suspended bool
	data      bool
	calls     []string
	fail      map[string]bool
	skew      time.Duration
	skews     int // how often it was moved
}

// The states of a process.
const (
	Running = "running"
	Paused  = "paused"
	Down    = "down"
)

// New makes a process in that state, with its data.
func New(state string) *Fake {
	return &Fake{up: state != Down, suspended: state == Paused, data: true, fail: map[string]bool{}}
}

// ErrPlanned is wrapped by the error of a call that was told to fail.
var ErrPlanned = errors.New("as planned")

// FailOnce makes the next call of the method fail: "suspend", "continue", "kill", "start", "wipe" or "skew".
func (f *Fake) FailOnce(method string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[method] = true
}

// WillFail reports whether the next call of the method fails.
func (f *Fake) WillFail(method string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fail[method]
}

// FailNothing takes back what was told to fail and has not failed yet.
func (f *Fake) FailNothing() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.fail)
}

// End makes the process end by itself.
func (f *Fake) End() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.up = false
}

// do is the way of all methods; legal says whether the call makes sense.
func (f *Fake) do(name string, legal func() bool, effect func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, name)
	if f.fail[name] {
		delete(f.fail, name)
		return fmt.Errorf("%s: %w", name, ErrPlanned)
	}
	if !legal() {
		return fmt.Errorf("%s makes no sense: up %v, suspended %v", name, f.up, f.suspended)
	}
	effect()
	return nil
}

// Suspend implements processes.Process.
func (f *Fake) Suspend() error {
	return f.do("suspend", func() bool { return f.up && !f.suspended }, func() { f.suspended = true })
}

// Continue implements processes.Process.
func (f *Fake) Continue() error {
	return f.do("continue", func() bool { return !f.up || f.suspended }, func() { f.suspended = false })
}

// Kill implements processes.Process.
func (f *Fake) Kill() error {
	if f.Block != nil {
		<-f.Block
	}
	return f.do("kill", func() bool { return true }, func() { f.up, f.suspended = false, false })
}

// Start implements processes.Process.
func (f *Fake) Start(ctx context.Context) error {
	return f.do("start", func() bool { return !f.up && ctx.Err() == nil }, func() { f.up = true })
}

// Wipe implements processes.Wiper.
func (f *Fake) Wipe() error {
	return f.do("wipe", func() bool { return !f.up }, func() { f.data = false })
}

// Durable implements processes.Durable.
func (f *Fake) Durable() error { return f.NotDurable }

// SkewClock implements processes.ClockSkewer.
func (f *Fake) SkewClock(offset time.Duration) error {
	return f.do("skew", func() bool { return true }, func() { f.skew, f.skews = offset, f.skews+1 })
}

// Clock is by how much the clock is off, and how often it was moved.
func (f *Fake) Clock() (offset time.Duration, moves int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.skew, f.skews
}

// State is Running, Paused or Down.
func (f *Fake) State() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.up:
		return Down
	case f.suspended:
		return Paused
	}
	return Running
}

// HasData reports whether it was never wiped.
func (f *Fake) HasData() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.data
}

// Called reports whether the method was called since the last Calls.
func (f *Fake) Called(method string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.calls, method)
}

// Calls returns and forgets the methods that were called, in their order.
func (f *Fake) Calls() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := strings.Join(f.calls, " ")
	f.calls = nil
	return calls
}

// Set makes n processes n1, n2 …
func Set(n int) (map[string]*Fake, *processes.Processes) {
	all := map[string]*Fake{}
	for i := range n {
		all[fmt.Sprintf("n%d", i+1)] = New(Running)
	}
	return all, processes.New(func(host string) (processes.Process, error) {
		if f, ok := all[host]; ok {
			return f, nil
		}
		return nil, errors.New("no host of that name")
	})
}

// Must fails the test unless a fault was injected, and returns its heal, which fails the test unless it succeeds.
func Must(t *testing.T) func(heal func(context.Context) error, err error) func() {
	return func(heal func(context.Context) error, err error) func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			t.Helper()
			if err := heal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}
