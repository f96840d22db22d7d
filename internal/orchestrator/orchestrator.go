// Package orchestrator runs a scenario: it starts the clusters, the resource and the clients, breaks what the
// scenario says, and leaves histories and verdicts in the run's directory.
package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/monotime"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

// Config says what to run.
type Config struct {
	Scenario scenarios.Scenario
	Drivers  []drivers.Driver
	Backends []cluster.Backend
	Seed     uint64
	// First is the place in Drivers, modulo their number, of the one whose phases that run alone run first. Rounds that begin
	// with another driver each let a machine that drifts hurt all alike.
	First int
	// Direct lets clients reach the servers without proxies.
	Direct bool
	// Replay lists what struck in an earlier run: the same faults strike the same hosts again, at the same moments.
	Replay []TestSchedule
	// Pool, if set, lends the clusters that it has, and keeps those that the run started.
	Pool *Pool
	// Out is the directory in which the run's directory is made.
	Out string
	// Label is added to the directory's name; empty: nothing is.
	Label string
	// Meta is what the caller knows of the program and the host; the orchestrator fills in the rest.
	Meta results.Run
	// Fence is what a fenced resource lets pass.
	Fence resource.Fence
	// Progress receives what happens, from several goroutines at once, and must not block. Nil: nobody looks, and a test is
	// judged only when it is over.
	Progress func(progress.Event)
}

// startTimeout bounds the start of all clusters together.
const startTimeout = 60 * time.Second

// run is a run under way.
type run struct {
	cfg      Config
	scenario scenarios.Scenario
	clock    monotime.Clock
	agent    agent.Agent
	dir      results.Dir
	shown    string // the directory, as the user wrote it

	mu        sync.Mutex // guards meta and schedules
	meta      results.Run
	schedules []TestSchedule
}

// Run runs the scenario and returns its directory, which is "" only if it could not be made. When ctx ends
// it heals, stops everything and keeps what there is, marked incomplete. The error is of the infrastructure: what
// went wrong with a lock is in the verdicts.
func Run(ctx context.Context, cfg Config) (dir string, err error) {
	r := &run{cfg: cfg, scenario: cfg.Scenario, meta: cfg.Meta}
	if r.clock, err = monotime.New(); err != nil {
		return "", err
	}
	name := cfg.Scenario.Name
	if cfg.Label != "" {
		name += "-" + cfg.Label
	}
	// The directory comes first: an unwritable --out must be said before anything starts.
	if r.dir, err = results.Create(cfg.Out, name, time.Now()); err != nil {
		return "", err
	}
	shown := string(r.dir)
	absolute, err := filepath.Abs(shown) // the clients work in directories of their own
	if err != nil {
		return shown, fmt.Errorf("find the run's directory: %w", err)
	}
	r.dir, r.shown = results.Dir(absolute), shown
	release, err := r.dir.Lock()
	if err != nil {
		return shown, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if cfg.Pool != nil {
		r.agent = cfg.Pool.agent
		return shown, r.all(ctx)
	}
	local, err := agent.NewLocal()
	if err != nil {
		return shown, err
	}
	r.agent = local
	defer func() { err = errors.Join(err, local.Close()) }()
	return shown, r.all(ctx)
}

// driverRun is one driver's part of the run.
type driverRun struct {
	live    live
	index   int  // of its row in the table
	broken  bool // the servers are not what they were
	row     results.Driver
	tests   []results.Test // commit publishes row and tests; until then they are this driver's goroutine's own
	current *test          // the first test, kept open between the phases that run alone and the rest
}

func (r *run) all(ctx context.Context) error {
	parts := r.plan()
	if err := errors.Join(r.save(), r.saveSchedule()); err != nil { // phase 1: before the run
		return err
	}
	r.announce(parts)
	stop, err := r.startClusters(ctx, parts)
	defer stop()
	r.countRoundTrips(ctx, parts)
	err = errors.Join(err, r.drive(ctx, parts)) // a cluster that failed must not cost the others their results
	return errors.Join(err, r.conclude(ctx, err))
}

// plan makes the rows and tests of every driver.
func (r *run) plan() []*driverRun {
	r.meta.Format, r.meta.Status = results.Format, results.Incomplete
	r.meta.Tables = tables(r.scenario)
	r.meta.Drivers = make([]results.Driver, len(r.cfg.Drivers))
	var parts []*driverRun
	for i, d := range r.cfg.Drivers {
		p := &driverRun{live: live{driver: d}, index: i, row: describe(d), tests: planTests(r.scenario, d)}
		r.publish(p)
		parts = append(parts, p)
	}
	return parts
}

// publish puts the driver's row and tests into what is saved of the run.
func (r *run) publish(p *driverRun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.meta.Drivers[p.index] = p.row
	for _, t := range p.tests {
		t.Phases, t.Notes = slices.Clone(t.Phases), slices.Clone(t.Notes)
		if i := slices.IndexFunc(r.meta.Tests, func(o results.Test) bool { return o.Name == t.Name }); i >= 0 {
			r.meta.Tests[i] = t
		} else {
			r.meta.Tests = append(r.meta.Tests, t)
		}
	}
}

func describe(d drivers.Driver) results.Driver {
	return results.Driver{
		Name: d.Info.Name, Title: d.Info.Title, Summary: d.Info.Summary, Backend: string(d.Info.Backend),
		Nodes: d.Info.Nodes, RoundTrips: d.Info.RoundTrips, Token: d.Info.Token, Lease: d.Info.Lease,
		Renewed: d.Info.Renewed, Status: results.NotRun,
	}
}

// drive runs the phases that run alone driver after driver, then everything else side by side.
func (r *run) drive(ctx context.Context, parts []*driverRun) error {
	var errs []error
	for i := range parts {
		if p := parts[(r.cfg.First+i)%len(parts)]; p.live.cluster != nil {
			errs = append(errs, r.alone(ctx, p))
		}
	}
	each := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, p := range parts {
		if p.live.cluster != nil {
			wg.Go(func() { each[i] = r.rest(ctx, p) })
		}
	}
	wg.Wait()
	for i, p := range parts {
		switch err := each[i]; {
		case p.live.cluster == nil:
		case ctx.Err() != nil:
			p.row.Status, p.row.Reason = results.Incomplete, "interrupted"
		case err != nil:
			p.row.Status, p.row.Reason = results.Failed, err.Error()
		default:
			p.row.Status = results.Complete
		}
		r.publish(p)
	}
	return errors.Join(append(errs, each...)...)
}

// firstTest is the first test of the driver that can run, or nil.
func (p *driverRun) firstTest() *results.Test {
	for i := range p.tests {
		if p.tests[i].Status == results.NotRun {
			return &p.tests[i]
		}
	}
	return nil
}

// alone runs the leading phases that run alone, and leaves the test open. What fails is told by rest.
func (r *run) alone(ctx context.Context, p *driverRun) error {
	meta := p.firstTest()
	if meta == nil || !r.scenario.Phases[0].Alone || ctx.Err() != nil {
		return nil
	}
	t, err := r.openTest(ctx, p, meta, true)
	p.current = t
	if err != nil {
		return nil // recorded in the test, and told by rest
	}
	defer t.watch(ctx)()
	for _, ph := range r.scenario.Phases {
		if planned := meta.Phase(ph.Name); ph.Alone && planned != nil {
			if t.err = t.phase(ctx, ph, planned); t.err != nil {
				return nil
			}
		}
	}
	// The workers must not disturb the next driver.
	t.err = t.restAll(ctx)
	return nil
}

// rest runs the remaining phases of the open test, and then the other tests.
func (r *run) rest(ctx context.Context, p *driverRun) error {
	var errs []error
	for k := range p.tests {
		meta := &p.tests[k]
		if meta.Status != results.NotRun {
			continue
		}
		t := p.current // has run its phases alone, and must end in order whatever happens
		p.current = nil
		if t == nil && ctx.Err() != nil {
			meta.Reason = "interrupted before it began"
			continue
		}
		if t == nil {
			t, _ = r.openTest(ctx, p, meta, false)
		}
		unwatch, unfollow := t.watch(ctx), t.follow(ctx)
		for _, ph := range r.scenario.Phases {
			if planned := meta.Phase(ph.Name); t.err == nil && ctx.Err() == nil && !ph.Alone && planned != nil {
				t.err = t.phase(ctx, ph, planned)
			}
		}
		unfollow()
		unwatch()
		t.err = errors.Join(t.err, t.finish())
		p.broken = errors.Is(t.err, errHeal)
		r.settle(ctx, p, t)
		errs = append(errs, t.err)
		if p.broken { // nothing that ran on these servers now would mean anything
			why := fmt.Errorf("it did not run, because after %s %w", t.meta.Name, errHeal)
			p.noTest(results.Failed, why)
			r.emit(progress.Event{Kind: progress.DriverOut, Driver: p.row.Name, Status: results.Failed, Reason: why.Error()})
			break
		}
	}
	return errors.Join(errs...)
}

// openTest makes a test; its err says what went wrong.
func (r *run) openTest(ctx context.Context, p *driverRun, meta *results.Test, first bool) (*test, error) {
	t := &test{run: r, live: p.live, meta: meta, clock: r.clock, streams: r.dir.Streams(meta.Name)}
	t.processes, t.meter = faults.NewProcesses(t.process), newMeter(t.streams)
	meta.Phases = r.planPhases(t, first)
	t.emit(progress.Event{Kind: progress.TestStarted})
	r.publish(p)
	if t.err = r.save(); t.err == nil { // if the run is killed now, this is what says which phases there were to be
		t.err = t.open(ctx)
	}
	return t, t.err
}

// settle writes how a test ended; phase 2 of saving.
func (r *run) settle(ctx context.Context, p *driverRun, t *test) {
	switch {
	case ctx.Err() != nil:
		t.meta.Status, t.meta.Reason = results.Incomplete, "interrupted"
	case t.err != nil:
		t.meta.Status, t.meta.Reason = results.Failed, t.err.Error()
		t.err = fmt.Errorf("%s: %w", t.meta.Name, t.err)
	default:
		t.meta.Status = results.Complete
	}
	t.emit(progress.Event{Kind: progress.TestEnded, Status: t.meta.Status, Reason: t.meta.Reason})
	r.publish(p)
	r.mu.Lock()
	r.schedules = append(r.schedules, t.schedule())
	r.mu.Unlock()
	t.err = errors.Join(t.err, r.save(), r.saveSchedule())
}

// save writes run.json.
func (r *run) save() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dir.WriteRun(&r.meta)
}

// conclude marks the run's end and writes run.json for the last time.
func (r *run) conclude(ctx context.Context, failure error) error {
	r.mu.Lock()
	r.meta.Finished = time.Now()
	switch {
	case ctx.Err() != nil:
		r.meta.Status, r.meta.Reason = results.Incomplete, "interrupted"
	case failure != nil:
		r.meta.Status, r.meta.Reason = results.Failed, failure.Error()
	default:
		r.meta.Status = results.Complete
	}
	r.mu.Unlock()
	return errors.Join(r.save(), r.saveSchedule(), removeEmpty(r.dir.File(results.StreamDir)))
}

func removeEmpty(dir string) error {
	err := os.Remove(dir)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	entries, readErr := os.ReadDir(dir)
	if readErr == nil && len(entries) > 0 {
		return nil // the streams of a test whose history could not be merged are worth keeping
	}
	return fmt.Errorf("remove the directory of merged streams: %w", err)
}
