// Package nemesis breaks what a scenario says, in one test: it resolves whom each fault hits, injects it at its
// moment, heals it, makes the holder that it needs, and keeps the schedule of what was done. It acts through the
// interfaces of its Config, and knows neither servers nor files.
package nemesis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/run/clients"
	"github.com/lockbench/lockbench/scenarios"
)

// Config is what a nemesis knows of its test.
type Config struct {
	// Test names the test, and Seed is the run's: both seed its randomness.
	Test     string
	Seed     uint64
	Scenario scenarios.Scenario
	// Lease is true if a grant ends by itself some time after its holder was last heard of.
	Lease bool
	// Hosts are what faults act on. The nemesis knows the holder.
	Hosts faults.Hosts
	// Clients are those that can be made to hold the lock.
	Clients func() []*clients.Client
	Watch   Watch
	// Record writes a line of the history, and stamps it.
	Record func(*history.Op) error
	// Begin is how long after the run the test began, and Passed how long ago the run did.
	Begin  time.Duration
	Passed func() time.Duration
	// Event tells what happens; Note adds a note to the test.
	Event func(progress.Event)
	Note  func(string)
	// Replay is the schedule to inject; nil: the scenario's faults.
	Replay []TestSchedule
}

// Watch tells what the workers do meanwhile.
type Watch interface {
	// Bound is the longest wait for anything that a lock is free not to do.
	Bound() time.Duration
	// GrantsSeen is how many grants the resource has seen.
	GrantsSeen() int
	// AwaitGrants waits for n grants that count among those that the resource sees from number next on. It reports
	// whether they came within the bound.
	AwaitGrants(ctx context.Context, next, n int, counts func(resource.GrantSeen) bool) (came bool, err error)
	// AttemptsFromNow counts the acquires that are invoked from now on.
	AttemptsFromNow() Attempts
}

// Attempts is a count of acquires.
type Attempts interface {
	// Await waits for the acquires that must be attempted during a fault, or until the bound has passed.
	Await(ctx context.Context) error
	// Stop ends the count.
	Stop()
}

// ErrHeal marks that a fault could not be undone: the cluster is not what it was, and must not be used again.
var ErrHeal = errors.New("a fault could not be healed")

// Nemesis injects the faults of one test. Safe for concurrent use, except that phases follow one another.
type Nemesis struct {
	cfg   Config
	holds int64 // that were asked for

	mu       sync.Mutex // faults are healed side by side
	steps    []*Step
	injected int // faults so far, those that could not be injected included

	holderMu sync.Mutex
	name     string // of the client that was told to hold, while it does
}

// New makes the nemesis of a test.
func New(cfg Config) *Nemesis { return &Nemesis{cfg: cfg} }

// target is the hosts with the holder.
type target struct {
	faults.Hosts
	nemesis *Nemesis
}

// Holder implements faults.Cluster.
func (t target) Holder() (string, error) {
	t.nemesis.holderMu.Lock()
	defer t.nemesis.holderMu.Unlock()
	if t.nemesis.name == "" {
		return "", errors.New("no client holds the lock")
	}
	return t.nemesis.name, nil
}

// Target is what the faults act on.
func (n *Nemesis) Target() faults.Cluster { return target{n.cfg.Hosts, n} }

func (n *Nemesis) setHolder(name string) {
	n.holderMu.Lock()
	defer n.holderMu.Unlock()
	n.name = name
}

// Phase records the begin or the end of a phase.
func (n *Nemesis) Phase(typ history.Type, phase string, cause error) error {
	return n.record(history.Op{Type: typ, F: history.Phase, Phase: phase}, cause)
}

// logFault records what is done about a fault.
func (n *Nemesis) logFault(typ history.Type, f string, fault *history.Fault, cause error) error {
	return n.record(history.Op{Type: typ, F: f, Fault: fault}, cause)
}

func (n *Nemesis) record(op history.Op, cause error) error {
	op.Client, op.Process = "nemesis", history.NemesisProcess
	if cause != nil {
		op.Error = cause.Error()
	}
	return n.cfg.Record(&op)
}

// Step is the number of the newest injection; 0: there was none.
func (n *Nemesis) Step() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.injected
}

func (n *Nemesis) ttl() time.Duration { return time.Duration(n.cfg.Scenario.Workload.TTL) }

func (n *Nemesis) recovery() int { return min(recoveredGrants, n.cfg.Scenario.Require.Grants) }

func anyGrant(resource.GrantSeen) bool { return true }

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

// fewer says that too few grants came within the bound.
func (n *Nemesis) fewer(need int, when string) error {
	return fmt.Errorf("fewer than %d grants within %v %s", need, n.cfg.Watch.Bound(), when)
}
