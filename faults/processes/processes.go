// Package processes suspends, kills and wipes processes and moves their clocks, and counts how many faults hold each,
// so that faults that overlap can be healed in any order.
package processes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Process is a server or a client as faults see it. Its methods do not count: Processes does. After an error of a
// method the process is as it was before.
type Process interface {
	// Suspend stops the process and all that belong to it (SIGSTOP) and returns once they stand still.
	Suspend() error
	// Continue lets it go on (SIGCONT). A process that has ended is no error.
	Continue() error
	// Kill ends it (SIGKILL) and returns when it is gone. A process that has ended is no error.
	Kill() error
	// Start starts it again at the same addresses and with its data, and returns when it serves.
	Start(ctx context.Context) error
}

// Durable is a Process that may keep on disk what it acknowledged.
type Durable interface {
	// Durable returns nil if a killed process comes back with all that it acknowledged, or why it does not.
	Durable() error
}

// Wiper is a Process that can lose its data.
type Wiper interface {
	// Wipe removes the data of a process that was killed. The next Start joins it to its cluster again, if it has one.
	Wipe() error
}

// OutsideModel is a Wiper that no protocol promises to survive.
type OutsideModel interface {
	// OutsideModel says why a wiped process that comes back is outside the fault model of its servers; empty: it is
	// not.
	OutsideModel() string
}

// Processes are those of a cluster and its clients. It counts the faults that hold each: a process runs when none
// does, is down while any holds it down, and else is suspended while any pauses it; its clock shows the true time and
// what all faults add to it. Safe for concurrent use; what is done to one host waits for nothing that is done to
// another.
type Processes struct {
	lookup func(host string) (Process, error)

	mu    sync.Mutex
	hosts map[string]*held
}

// held is what holds one host.
type held struct {
	mu            sync.Mutex
	pauses, downs int
	is            condition
	// skews are what faults add to the clock, skewed is how it was moved last.
	skews  map[*Skew]time.Duration
	skewed time.Duration
}

// condition is what was last done to a process. What it does of itself meanwhile does not count.
type condition string

const (
	running condition = "running"
	paused  condition = "paused"
	down    condition = "down"
)

// undoTimeout bounds an undoing that must be done even if the caller's context has ended.
const undoTimeout = time.Minute

// New makes a set in which no host is held. lookup finds the process that a host has at the moment.
func New(lookup func(host string) (Process, error)) *Processes {
	return &Processes{lookup: lookup, hosts: map[string]*held{}}
}

// Process finds the process that the host has at the moment.
func (p *Processes) Process(host string) (Process, error) {
	if p == nil {
		return nil, errors.New("there are no processes to act on")
	}
	process, err := p.lookup(host)
	if err != nil {
		return nil, fmt.Errorf("find the process of %s: %w", host, err)
	}
	return process, nil
}

// Pause suspends the processes of the hosts, each at once or when it is started again. heal lets go on whatever
// nothing else holds; it is idempotent, and after an error it can be called again for what is left. After an error
// of Pause nothing more is held than before.
func (p *Processes) Pause(ctx context.Context, hosts []string) (heal func(context.Context) error, err error) {
	return p.hold(ctx, "pause", hosts, func(h *held, n int) { h.pauses += n }, nil)
}

// Down kills the processes of the hosts and, if they are to be wiped, removes their data, which no undoing brings
// back. heal starts whatever nothing else holds down; else it is as that of Pause.
func (p *Processes) Down(ctx context.Context, hosts []string, wipe bool) (heal func(context.Context) error, err error) {
	take := func(h *held, n int) { h.downs += n }
	if !wipe {
		return p.hold(ctx, "kill", hosts, take, nil)
	}
	for _, host := range hosts { // before anything is lost
		if _, err := p.wiper(host); err != nil {
			return nil, err
		}
	}
	return p.hold(ctx, "wipe", hosts, take, func(host string) error {
		w, err := p.wiper(host)
		if err != nil {
			return err
		}
		return w.Wipe()
	})
}

func (p *Processes) wiper(host string) (Wiper, error) {
	process, err := p.Process(host)
	if err != nil {
		return nil, err
	}
	w, ok := process.(Wiper)
	if !ok {
		return nil, fmt.Errorf("%s cannot lose its data and come back", host)
	}
	return w, nil
}

// hold counts one fault more on each of the hosts and does to them what follows, and then after, if it is set.
func (p *Processes) hold(
	ctx context.Context, what string, hosts []string, count func(*held, int), after func(host string) error,
) (func(context.Context) error, error) {
	hosts = slices.Compact(slices.Sorted(slices.Values(hosts)))
	holds := make([]*hold, len(hosts))
	err := each(len(hosts), func(i int) error {
		holds[i] = &hold{of: p, host: hosts[i], count: count}
		if err := holds[i].take(ctx, after); err != nil {
			return fmt.Errorf("%s %s: %w", what, hosts[i], err)
		}
		return nil
	})
	heal := func(ctx context.Context) error {
		return each(len(holds), func(i int) error {
			if err := holds[i].release(ctx); err != nil {
				return fmt.Errorf("undo %s %s: %w", what, hosts[i], err)
			}
			return nil
		})
	}
	if err == nil {
		return heal, nil
	}
	if failed := Undo(ctx, heal); failed != nil {
		return nil, errors.Join(err, failed)
	}
	if after != nil {
		return nil, fmt.Errorf("%w (all of %v run again; what was wiped is lost)", err, hosts)
	}
	return nil, fmt.Errorf("%w (undone on all of %v)", err, hosts)
}

// hold is what one fault has on one host.
type hold struct {
	of    *Processes
	host  string
	count func(*held, int)
	taken bool // guarded by the host's lock
}

func (h *hold) take(ctx context.Context, after func(host string) error) error {
	host := h.of.held(h.host)
	host.mu.Lock()
	defer host.mu.Unlock()
	h.count(host, 1)
	h.taken = true
	err := h.of.settle(ctx, h.host, host)
	if err == nil && after != nil {
		err = after(h.host)
	}
	return err
}

func (h *hold) release(ctx context.Context) error {
	host := h.of.held(h.host)
	host.mu.Lock()
	defer host.mu.Unlock()
	if h.taken {
		h.count(host, -1)
		h.taken = false
	}
	return h.of.settle(ctx, h.host, host) // also when called again, after it failed
}

func (p *Processes) held(host string) *held {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, ok := p.hosts[host]
	if !ok {
		h = &held{is: running, skews: map[*Skew]time.Duration{}}
		p.hosts[host] = h
	}
	return h
}

// should is what the process is to be under the faults that hold it.
func (h *held) should() condition {
	switch {
	case h.downs > 0:
		return down
	case h.pauses > 0:
		return paused
	}
	return running
}

// settle makes the host's process what it should be. The caller has the host's lock.
func (p *Processes) settle(ctx context.Context, name string, h *held) error {
	want := h.should()
	if h.is == want {
		return nil
	}
	process, err := p.Process(name)
	if err != nil {
		return err
	}
	if want == down {
		return h.became(down, process.Kill())
	}
	if h.is == down { // also one that is paused starts first, and serves
		if err := h.became(running, process.Start(ctx)); err != nil {
			return err
		}
	}
	switch {
	case h.is == want:
		return nil
	case want == paused:
		return h.became(paused, process.Suspend())
	default:
		return h.became(running, process.Continue())
	}
}

func (h *held) became(c condition, err error) error {
	if err == nil {
		h.is = c
	}
	return err
}

// Held reports whether any fault holds the host, or a heal lets it go at this moment.
func (p *Processes) Held(host string) bool {
	h := p.held(host)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.is != running || h.pauses+h.downs > 0
}

// Left says of every host that does not run as it did before the faults what it is and how many faults hold it, in
// the order of their names. After all heals it is empty, unless one of them failed.
func (p *Processes) Left() []string {
	p.mu.Lock()
	hosts := maps.Clone(p.hosts)
	p.mu.Unlock()
	var left []string
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[name]
		h.mu.Lock()
		if h.is != running || h.pauses+h.downs > 0 {
			left = append(left, fmt.Sprintf("%s is %s (held down by %d faults, paused by %d)", name, h.is, h.downs, h.pauses))
		}
		if h.skewed != 0 || len(h.skews) > 0 {
			left = append(left, fmt.Sprintf("the clock of %s is %v off (moved by %d faults)", name, h.skewed, len(h.skews)))
		}
		h.mu.Unlock()
	}
	return left
}

// Undo calls heal also if ctx has ended. It gives it a minute at most.
func Undo(ctx context.Context, heal func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	return heal(ctx)
}

// each calls f for 0 … n-1 at once and returns all errors.
func each(n int, f func(i int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = f(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}
