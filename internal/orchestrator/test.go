package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/client"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/monotime"
	"github.com/lockbench/lockbench/internal/recorder"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

// live is a driver's running cluster.
type live struct {
	driver  drivers.Driver
	cluster cluster.Cluster
	links   *faults.Links // nil: direct
}

// test is one running test: its clients, its resource and the streams of its history.
type test struct {
	run     *run
	live    live
	meta    *results.Test
	clock   monotime.Clock
	streams string // directory

	resource  *resource.Server
	store     *recorder.Recorder // the resource's ops
	clients   []*clientHost
	ledger    *ledger // nil: the data lives in the resource
	processes *faults.Processes
	holds     int64 // that were asked for
	err       error // why the test cannot go on
	meter     *meter
	incidents atomic.Pointer[int] // known so far; nil: the test is not judged yet, or only when it is over

	nemesisMu sync.Mutex // faults are healed side by side
	nemesis   *recorder.Recorder
	steps     []*Step

	holderMu sync.Mutex
	holder   string // the client that was told to hold, while it does
}

// Driver implements faults.Cluster.
func (t *test) Driver() string { return t.live.driver.Info.Name }

// Nodes implements faults.Cluster.
func (t *test) Nodes() []string {
	names := make([]string, len(t.live.cluster.Nodes()))
	for i, n := range t.live.cluster.Nodes() {
		names[i] = n.Name
	}
	return names
}

// Clients implements faults.Cluster.
func (t *test) Clients() []string {
	names := make([]string, t.run.scenario.Workload.Clients)
	for i := range names {
		names[i] = clientName(i)
	}
	return names
}

func clientName(i int) string { return fmt.Sprintf("c%d", i+1) }

// Links implements faults.Cluster.
func (t *test) Links() *faults.Links { return t.live.links }

// Processes implements faults.Cluster.
func (t *test) Processes() *faults.Processes { return t.processes }

// process finds the process of a server or a client.
func (t *test) process(host string) (faults.Process, error) {
	for _, h := range t.clients {
		if h.name == host {
			return h, nil
		}
	}
	for _, n := range t.live.cluster.Nodes() {
		if n.Name == host {
			return n.Process, nil
		}
	}
	return nil, fmt.Errorf("there is no host %q", host)
}

// Service implements faults.Cluster.
func (t *test) Service() any { return t.live.cluster }

// Leads implements faults.Cluster.
func (t *test) Leads() bool { return t.live.driver.Info.Backend.Leads() }

// Leader implements faults.Cluster.
func (t *test) Leader(ctx context.Context) (string, error) {
	name, err := t.live.cluster.Leader(ctx)
	if errors.Is(err, cluster.ErrNoLeaderRole) {
		return "", fmt.Errorf("%w: %w", faults.ErrNoMeaning, err)
	}
	return name, err
}

// Holder implements faults.Cluster.
func (t *test) Holder() (string, error) {
	t.holderMu.Lock()
	defer t.holderMu.Unlock()
	if t.holder == "" {
		return "", errors.New("no client holds the lock")
	}
	return t.holder, nil
}

// Clocks implements faults.Cluster.
func (t *test) Clocks() error { return t.run.agent.Clocks() }

func (t *test) setHolder(name string) {
	t.holderMu.Lock()
	defer t.holderMu.Unlock()
	t.holder = name
}

// open starts the resource and the clients. After an error the caller still has to finish the test.
func (t *test) open(ctx context.Context) error {
	if err := os.MkdirAll(t.streams, 0o755); err != nil {
		return fmt.Errorf("make the directory of the history's streams: %w", results.Advise(err))
	}
	var err error
	if t.nemesis, err = recorder.Create(filepath.Join(t.streams, "nemesis.stream")); err != nil {
		return err
	}
	if t.store, err = recorder.Create(filepath.Join(t.streams, "resource.stream")); err != nil {
		return err
	}
	cfg := resource.Config{Record: t.store.Append, Clock: t.clock}
	if t.meta.Fencing {
		cfg.Fence = t.run.cfg.Fence
	}
	if t.resource, err = resource.Listen(cfg); err != nil {
		return err
	}
	if err := t.openLedger(ctx); err != nil {
		return err
	}
	for i := range t.run.scenario.Workload.Clients {
		h, err := t.newClient(i)
		t.clients = append(t.clients, h)
		if err != nil {
			return err
		}
	}
	for _, h := range t.clients {
		if err := h.current.ready(ctx); err != nil {
			return fmt.Errorf("start client %s: %w", h.name, err)
		}
	}
	return nil
}

// workload is what the i-th client is told in this phase.
func (t *test) workload(p scenarios.Phase, i int) client.Workload {
	w := t.run.scenario.Workload
	clients, workers, hold, think := w.Clients, w.Workers, w.Hold, w.Think
	if o := p.Workload; o != nil {
		clients, workers = override(clients, o.Clients), override(workers, o.Workers)
		hold, think = override(hold, o.Hold), override(think, o.Think)
	}
	load := client.Workload{
		Active: workers, Locks: w.Locks, OppositeOrder: w.OppositeOrder,
		AcquireTimeout: time.Duration(w.AcquireTimeout), Timeout: time.Duration(w.AcquireTimeout),
		HeedLost: t.meta.HeedLost,
	}
	load.HoldMin, load.HoldMax = hold.Of(t.ttl())
	load.ThinkMin, load.ThinkMax = think.Of(t.ttl())
	if i >= clients {
		load.Active = 0
	}
	if w.Rate > 0 {
		load.Interval = time.Duration(float64(clients*workers) / w.Rate * float64(time.Second))
	}
	return load
}

func override[T any](value T, with *T) T {
	if with != nil {
		return *with
	}
	return value
}

// log records one op of the nemesis.
func (t *test) log(typ history.Type, f, value string, cause error) error {
	op := history.Op{Client: "nemesis", Process: history.NemesisProcess, Type: typ, F: f, Value: value}
	if cause != nil {
		op.Error = cause.Error()
	}
	return t.append(&op)
}

// append stamps and records one op of the nemesis.
func (t *test) append(op *history.Op) error {
	t.nemesisMu.Lock()
	defer t.nemesisMu.Unlock()
	op.Time = t.clock.Now()
	return t.nemesis.Append(op)
}

// finish stops the clients and the resource and merges the streams into the test's history. It works on
// whatever open has made, and does not stop at the first error.
func (t *test) finish() error {
	grace := 2*time.Duration(t.run.scenario.Workload.AcquireTimeout) + 3*time.Second
	errs := make([]error, len(t.clients))
	var wg sync.WaitGroup
	for i, c := range t.clients {
		wg.Go(func() {
			errs[i] = c.finish(grace)
		})
	}
	wg.Wait()
	ledgerErr := t.ledger.close()
	if t.resource != nil {
		errs = append(errs, t.resource.Close())
	}
	for _, r := range []*recorder.Recorder{t.nemesis, t.store} {
		if r != nil {
			errs = append(errs, r.Close())
		}
	}
	if ledgerErr != nil { // without the resource's lines the streams are no history; they are kept
		return errors.Join(append(errs, ledgerErr)...)
	}
	return errors.Join(append(errs, t.merge())...)
}

// merge writes the history and then removes the streams.
func (t *test) merge() error {
	notes, err := recorder.MergeInto(t.run.dir.History(t.meta.Name), t.streams)
	t.meta.Notes = append(t.meta.Notes, notes...)
	return err
}
