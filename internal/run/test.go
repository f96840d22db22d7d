package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/faults/processes"
	"github.com/lockbench/lockbench/internal/disk"
	"github.com/lockbench/lockbench/internal/monotime"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run/clients"
	"github.com/lockbench/lockbench/internal/run/nemesis"
	"github.com/lockbench/lockbench/internal/workload"
	"github.com/lockbench/lockbench/scenarios"
)

// test is one running test: its clients, its resource and the streams of its history.
type test struct {
	*hosts
	run     *run
	meta    *results.Test
	clock   monotime.Clock
	began   int64          // on the clock
	streams string         // directory
	feed    *recorder.Feed // of the streams

	resource  *resource.Server
	watch     *watch             // from the resource's start on
	store     *recorder.Recorder // the resource's ops
	ledger    *ledger            // nil: the data lives in the resource
	nemesis   *nemesis.Nemesis
	err       error // why the test cannot go on
	died      error // the death of a process that ended it
	meter     *meter
	incidents atomic.Pointer[int] // known so far; nil: the test is not judged yet, or only when it is over

	linesMu sync.Mutex
	lines   *recorder.Recorder // the nemesis's ops
}

// newTest makes a test that has not begun.
func (r *run) newTest(l live, meta *results.Test) *test {
	t := &test{
		hosts: &hosts{live: l, scenario: r.scenario, namespace: r.namespace(), host: r.agent},
		run:   r, meta: meta, clock: r.clock, began: r.clock.Now(), streams: r.dir.Streams(meta.Name),
	}
	t.processes, t.feed = processes.New(t.process), recorder.NewFeed(t.streams)
	t.watch = &watch{feed: t.feed, clock: r.clock, bound: t.bound(), attempts: r.scenario.Require.Attempts}
	t.nemesis = nemesis.New(nemesis.Config{
		Test: meta.Name, Seed: r.cfg.Seed, Scenario: r.scenario, Lease: l.driver.Info.Lease,
		Hosts: t.hosts, Clients: func() []*clients.Client { return t.clients }, Watch: t.watch,
		Record: t.record, Begin: time.Duration(t.began - r.began), Passed: func() time.Duration { return time.Duration(r.clock.Now() - r.began) },
		Event: t.emit, Note: func(text string) { meta.Notes = append(meta.Notes, text) }, Replay: r.cfg.Replay,
	})
	if r.cfg.Progress != nil {
		t.meter = newMeter(t.feed)
	}
	return t
}

// lockNames are the names of a test's n locks.
func lockNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("lock-%d", i+1)
	}
	return names
}

// open starts the resource and the clients. After an error the caller still has to finish the test.
func (t *test) open(ctx context.Context) error {
	if err := os.MkdirAll(t.streams, 0o755); err != nil {
		return fmt.Errorf("make the directory of the history's streams: %w", disk.Advise(err))
	}
	var err error
	if t.lines, err = recorder.Create(filepath.Join(t.streams, "nemesis.stream")); err != nil {
		return err
	}
	if t.store, err = recorder.Create(filepath.Join(t.streams, "resource.stream")); err != nil {
		return err
	}
	cfg := resource.Config{Addr: t.run.listen, Secret: t.run.secret, Record: t.store.Append, Clock: t.clock}
	if t.meta.Fenced {
		cfg.Fence = t.run.cfg.Fence
	}
	if t.resource, err = resource.Listen(cfg); err != nil {
		return err
	}
	t.watch.resource = t.resource
	if err := t.openLedger(ctx); err != nil {
		return err
	}
	for i, name := range t.Clients() {
		if err := t.startClient(i, name); err != nil {
			return err
		}
	}
	for _, h := range t.clients {
		if err := h.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startClient starts the i-th client.
func (t *test) startClient(i int, name string) error {
	w := t.scenario.Workload
	dir, err := t.run.agent.Dir(t.meta.Name+"-"+name, nil)
	if err != nil {
		return err
	}
	c, err := clients.Start(clients.Config{
		Open: workload.Open{
			Version: workload.ProtocolVersion, Client: name, Driver: t.Driver(),
			Servers: t.addrs(), Resource: t.resource.Addr(), Fenced: t.meta.Fenced, TTL: time.Duration(w.TTL), Namespace: t.namespace,
			Seed: t.run.cfg.Seed, Workers: w.Workers,
			FirstProcess: int64(i * w.Workers), Stride: int64(w.Clients * w.Workers), Dir: t.streams,
			InTransaction: t.meta.InTransaction, Secret: t.run.secret, Credentials: t.cluster.Credentials(),
		},
		Servers: t.Topology().Names(), Links: t.links, Listen: t.run.listen, Host: t.host, Dir: dir,
		Log:    filepath.Join(t.run.dir.Logs(), t.Driver()+"-clients.log"),
		Record: t.record,
	})
	t.clients = append(t.clients, c)
	return err
}

// workload is what the i-th client is told in this phase.
func (t *test) workload(p scenarios.Phase, i int) workload.Workload {
	w := t.scenario.Workload
	clients, workers, hold, think := w.Clients, w.Workers, w.Hold, w.Think
	if o := p.Workload; o != nil {
		clients, workers = override(clients, o.Clients), override(workers, o.Workers)
		hold, think = override(hold, o.Hold), override(think, o.Think)
	}
	load := workload.Workload{
		Active: workers, Locks: lockNames(w.Locks), OppositeOrder: w.OppositeOrder,
		AcquireTimeout: time.Duration(w.AcquireTimeout), Timeout: time.Duration(w.AcquireTimeout),
		Heeding: t.meta.Heeding,
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

// record stamps and records one op of the nemesis.
func (t *test) record(op *history.Op) error {
	t.linesMu.Lock()
	defer t.linesMu.Unlock()
	op.Time = t.clock.Now()
	if op.F == history.Kill { // by the fault that is being injected: injections follow one another, and no heal kills
		op.Fault = &history.Fault{Step: t.nemesis.Step()}
	}
	return t.lines.Append(op)
}

// finish stops the clients and the resource and merges the streams into the test's history. It works on
// whatever open has made, and does not stop at the first error.
func (t *test) finish(ctx context.Context) error {
	grace := 2*time.Duration(t.scenario.Workload.AcquireTimeout) + 3*time.Second
	errs := make([]error, len(t.clients))
	var wg sync.WaitGroup
	for i, c := range t.clients {
		wg.Go(func() {
			errs[i] = c.Finish(ctx, grace)
		})
	}
	wg.Wait()
	ledgerErr := t.ledger.close()
	if t.resource != nil {
		errs = append(errs, t.resource.Close())
	}
	for _, r := range []*recorder.Recorder{t.lines, t.store} {
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
