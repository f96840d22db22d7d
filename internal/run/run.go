// Package run runs a scenario: it starts the clusters, the resource and the clients, breaks what the
// scenario says, and leaves histories and verdicts in the run's directory.
package run

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/monotime"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run/nemesis"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// Config says what to run.
type Config struct {
	Scenario scenarios.Scenario
	Drivers  []drivers.Driver
	Backends []servers.Backend
	Seed     uint64
	// First is the place in Drivers, modulo their number, of the one whose phases that run alone run first. Rounds
	// that begin with another driver each let a machine that drifts hurt all alike.
	First int
	// Direct lets clients reach the servers without proxies.
	Direct bool
	// Replay lists the steps of an earlier run: they are injected into the same hosts again, and nothing else is.
	Replay []nemesis.TestSchedule
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
	// Progress receives what happens, from several goroutines at once, and must not block. Nil: nobody looks, and a
	// test is judged only when it is over.
	Progress func(progress.Event)
}

// startTimeout bounds the start of all clusters together.
const startTimeout = 60 * time.Second

// run is a run under way.
type run struct {
	cfg      Config
	scenario scenarios.Scenario
	clock    monotime.Clock
	began    int64 // on the clock
	agent    provision.Host
	secret   string // which the resources want to hear from the clients
	listen   string // where links and resources listen for the host's processes: "ip:0"
	dir      results.Dir
	shown    string // the directory, as the user wrote it

	liveMu sync.Mutex
	live   map[*test]struct{} // that are under way

	mu        sync.Mutex // guards meta and schedules
	meta      results.Run
	schedules []nemesis.TestSchedule
}

// namespace separates the run's locks from those of every other run at the same servers.
func (r *run) namespace() string { return filepath.Base(string(r.dir)) }

// Run runs the scenario and returns its directory, which is "" only if it could not be made. When ctx ends
// it heals, stops everything and keeps what there is, marked incomplete. The error is of the infrastructure: what
// went wrong with a lock is in the verdicts.
func Run(ctx context.Context, cfg Config) (dir string, err error) {
	r := &run{cfg: cfg, scenario: cfg.Scenario, meta: cfg.Meta, secret: rand.Text(), live: map[*test]struct{}{}}
	if r.clock, err = monotime.New(); err != nil {
		return "", err
	}
	r.began = r.clock.Now()
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
	host, err := local.New()
	if err != nil {
		return "", errors.Join(err, r.dir.Discard()) // nothing has begun
	}
	r.agent = host
	host.OnTrouble(func(text string) { r.emit(progress.Event{Kind: progress.Note, Text: text}) })
	return shown, errors.Join(r.all(ctx), r.closeHost(host))
}

// closeHost ends what still runs on the host. That something may be left behind is saved, too: the report says what
// the run says.
func (r *run) closeHost(host provision.Host) error {
	err := host.Close()
	if err == nil || r.meta.Status == results.Incomplete {
		return err
	}
	if r.meta.Status == results.Complete {
		r.meta.Status, r.meta.Reason = results.Failed, err.Error()
	}
	return errors.Join(err, r.save())
}

func (r *run) all(ctx context.Context) error {
	ip, err := r.agent.LinkIP("the links")
	if err != nil {
		return err
	}
	r.listen = net.JoinHostPort(ip, "0")
	parts := r.plan()
	if err := errors.Join(r.save(), r.saveSchedule()); err != nil { // phase 1: before the run
		return err
	}
	r.announce(parts)
	stop, err := r.startClusters(ctx, parts)
	defer stop()
	defer r.meterStalls(ctx)()
	r.countRoundTrips(ctx, parts)
	err = errors.Join(err, r.drive(ctx, parts)) // a cluster that failed must not cost the others their results
	return errors.Join(err, r.conclude(ctx, err))
}

// plan makes the rows and tests of every driver.
func (r *run) plan() []*driverRun {
	r.meta.Format, r.meta.Status = results.Format, results.Incomplete
	planned := nemesis.WithSteps(r.scenario, r.cfg.Replay)
	plan.Document(planned, &r.meta)
	r.meta.Outline, r.meta.Tables = r.scenario.Outline(), plan.Tables(planned)
	r.meta.Drivers = make([]results.Driver, len(r.cfg.Drivers))
	var parts []*driverRun
	for i, d := range r.cfg.Drivers {
		p := &driverRun{live: live{driver: d}, index: i, row: describe(d), tests: plan.Tests(r.scenario, d)}
		r.publish(p)
		parts = append(parts, p)
	}
	return parts
}
