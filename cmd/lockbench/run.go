package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lockbench/lockbench/checker/judge"
	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run"
	"github.com/lockbench/lockbench/internal/run/nemesis"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/formats"
	"github.com/lockbench/lockbench/report/text"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// runFlags are the values of `lockbench run`'s flags.
type runFlags struct {
	plan.Flags
	schedule, out       string
	resume              string          // directory of the series that goes on
	place               *progress.Place // of the run in its series; nil: it is of none
	direct, quiet, json bool
	webAddr             string                 // of the live page; empty: there is none
	web                 *progress.Web          // nil: there is none
	interrupt           func()                 // ends the run as Ctrl-C does
	replay              []nemesis.TestSchedule // the schedule's; empty: the faults are drawn
}

func newRunCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "run", Short: "Run a scenario and compare the locks",
		Long: `Runs a scenario against real servers on this machine, judges the recorded histories, and prints the comparison. Each run
has a directory of its own below --out.

With --sweep, or a scenario that has a sweep, there is one run for each value. The exit code is that of the worst run.

With --scenario all every shipped scenario runs, one after another, and with a list each of them. They have a directory of their
own, and one page at the end. How long that takes is told before. --resume goes on with an interrupted series: the same command,
and its directory.

With --rounds the scenario runs that many times, each time with another seed and beginning with another lock. The report has medians
and, from five rounds on, intervals. lockbench compare puts two such directories side by side.

Progress goes to standard error: on a terminal as messages and a status line, elsewhere as a line for each phase. With --quiet
there is none. With --json standard output has one event a line instead of the report (docs/progress.md); the last event has
the verdicts.

With --web, or --web=127.0.0.1:8080, a page on this machine shows the same with plots that grow. Its URL, with a random token, is
told at the begin. When all is over the page becomes the report, and lockbench ends.

Without --driver the scenario's drivers run, or the six locks without their variants. A lock whose servers are not installed is
shown as not run.`,
		Example: `  lockbench run --scenario partition
  lockbench run --scenario partition --driver redis-setnx+renew,etcd --seed 7
  lockbench run --scenario partition --driver etcd --fencing fenced --lost ignoring --ttl 3s
  lockbench run --scenario partition --driver postgres-row --rate 200 --duration 10s --direct
  lockbench run --scenario ./mine.yaml --sweep '$.workload.hold=10ms,100ms,1s'
  lockbench run --scenario all
  lockbench run --scenario partition,client-pause,delayed-write --driver etcd,zookeeper
  lockbench run --scenario baseline --rounds 5
  lockbench run --scenario partition --web
  lockbench run --scenario partition --json | jq -c 'select(.event == "run-ended").result.tests[]'
  lockbench run --schedule results/20261123T060000Z-partition/schedule.yaml`,
		Args: runArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runScenario(cmd, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.Scenario, "scenario", "", "shipped scenario, or path of a YAML file (see lockbench list); several with commas, or all")
	fl.StringVar(&f.Sweep, "sweep", "", `one run for each value of one thing in the scenario: "$.workload.ttl=2s,4s" (default: the scenario's)`)
	fl.StringVar(&f.schedule, "schedule", "", "repeat a run from its schedule.yaml: the same faults on the same hosts (instead of --scenario)")
	fl.StringSliceVar(&f.Drivers, "driver", nil, "drivers or variants, separated by commas (default: the scenario's, or the six locks)")
	fl.Uint64Var(&f.Seed, "seed", 0, "seed of all randomness (default: drawn, and printed)")
	fl.IntVar(&f.Clients, "clients", 0, "client processes")
	fl.IntVar(&f.Workers, "workers", 0, "workers of each client")
	fl.StringVar(&f.Fencing, "fencing", "", "does the resource check fencing tokens: fenced, unfenced or both")
	fl.StringVar(&f.Lost, "lost", "", "do workers stop when told that the lock is lost: heeding, ignoring or both")
	fl.StringVar(&f.Resource, "resource", "", "where the protected data lives: external, or in-transaction (in the lock's own, where it has one)")
	fl.DurationVar(&f.TTL, "ttl", 0, "length of leases and sessions")
	fl.StringVar(&f.Hold, "hold", "", `time between a worker's read and write, "10ms" or "5ms..20ms"`)
	fl.Float64Var(&f.Rate, "rate", 0, "open loop: acquires per second of all workers together (default: closed loop)")
	fl.DurationVar(&f.Duration, "duration", 0, "length of each phase without a fault")
	fl.IntVar(&f.Rounds, "rounds", 0, "run this many times and report on all rounds together; five or more give intervals")
	fl.BoolVar(&f.direct, "direct", false, "no proxies between clients and servers; phases that cut links do not run")
	fl.BoolVar(&f.quiet, "quiet", false, "nothing but the report at the end, and errors")
	fl.BoolVar(&f.json, "json", false, "one event a line as JSON on standard output, and no report there")
	fl.StringVar(&f.webAddr, "web", "", "serve a live page on loopback that ends as the report; the address after =, default 127.0.0.1 and a free port")
	fl.Lookup("web").NoOptDefVal = "127.0.0.1:0"
	fl.StringVar(&f.out, "out", defaultOut, "directory in which the run's directory is made")
	fl.StringVar(&f.resume, "resume", "", "directory of several scenarios that were interrupted: what is complete there is kept, the rest is run")
	completeWords(cmd, "web", []string{"127.0.0.1:8080", "localhost:8080"})
	completeFolders(cmd, "resume")
	completeWords(cmd, "fencing", []string{string(scenarios.Fenced), string(scenarios.Unfenced), scenarios.Both})
	fl.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "heed-lost" { // as it was called once: users have scripts
			name = "lost"
		}
		return pflag.NormalizedName(name)
	})
	completeWords(cmd, "lost", []string{string(scenarios.Heeding), string(scenarios.Ignoring), scenarios.Both})
	completeWords(cmd, "resource", resourceNames())
	completeList(cmd, "driver", driverNames())
	completeWordsOrFiles(cmd, "scenario", scenarios.Names(), "yaml")
	completeWordsOrFiles(cmd, "schedule", nil, "yaml")
	completeFolders(cmd, "out")
	return cmd
}

func resourceNames() []string {
	return []string{string(scenarios.External), string(scenarios.InTransaction)}
}

func driverNames() []string {
	var names []string
	for _, d := range all.Drivers() {
		names = append(names, d.Info.Name)
	}
	return names
}

func runScenario(cmd *cobra.Command, f runFlags) error {
	if f.quiet && f.json {
		return usage(errors.New("--quiet and --json exclude each other: the events are what --json is for"))
	}
	if f.webAddr != "" {
		if err := progress.CheckWebAddress(f.webAddr); err != nil {
			return usage(fmt.Errorf("--web: %w", err))
		}
	}
	f.Changed = cmd.Flags().Changed
	defer surviveBrokenPipes()()
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	cmd.SetContext(ctx)
	f.interrupt = cancel
	limit, err := openFilesLimit()
	if err != nil {
		return exitError{exitInternal, err}
	}
	if f.schedule == "" && f.WantsSeries() {
		return runSeveral(cmd, f, limit)
	}
	return runPlanned(cmd, f, limit)
}

// runPlanned runs one scenario: once, or once for each value of a sweep, or in rounds.
func runPlanned(cmd *cobra.Command, f runFlags, limit uint64) (err error) {
	if f.resume != "" {
		return usage(errors.New("--resume goes on with several scenarios: give --scenario all, or the list that the series began with"))
	}
	runs, err := f.resolve()
	if err != nil {
		return usage(err)
	}
	for _, r := range runs {
		if err := r.CheckOpenFiles(limit, f.direct); err != nil {
			return usage(err)
		}
	}
	if runtime.GOOS != "linux" {
		return exitError{exitInternal, fmt.Errorf("run %s: %w", runs[0].Scenario.Name, provision.ErrUnsupported)}
	}
	end, err := f.serveWeb(cmd)
	if err != nil {
		return err
	}
	defer func() { err = end(err) }()
	switch {
	case runs[0].Round != nil:
		return runRounds(cmd, f, runs)
	case runs[0].Path != "":
		return runSweep(cmd, f, runs)
	}
	_, err = runOne(cmd, f, runs[0])
	return err
}

// runSeveral plans and runs several scenarios.
func runSeveral(cmd *cobra.Command, f runFlags, limit uint64) error {
	if f.resume != "" {
		if f.Changed("out") {
			return usage(errors.New("--resume and --out exclude each other: the series goes on where it is"))
		}
		if err := f.takeSeed(); err != nil {
			return usage(err)
		}
	}
	s, err := plan.Catalog{Drivers: all.Drivers(), Check: plan.CheckScenario}.Series(f.Flags)
	if err != nil {
		return usage(err)
	}
	if runtime.GOOS != "linux" {
		return exitError{exitInternal, fmt.Errorf("run %s: %w", s.Name, provision.ErrUnsupported)}
	}
	end, err := f.serveWeb(cmd)
	if err != nil {
		return err
	}
	return end(runScenarios(cmd, f, s, limit))
}

// takeSeed lets a series that goes on have the seed that it began with.
func (f *runFlags) takeSeed() error {
	if st, err := os.Stat(filepath.Join(f.resume, results.RunFile)); err == nil && !st.IsDir() {
		return fmt.Errorf("--resume: %s is the directory of a single run; it wants that of a series", f.resume)
	}
	seed, ok, err := seriesSeed(f.resume)
	if err != nil {
		return fmt.Errorf("--resume: %w", err)
	}
	if changed := f.Changed; ok && !changed("seed") {
		f.Seed, f.Changed = seed, func(flag string) bool { return flag == "seed" || changed(flag) }
	}
	return nil
}

// resolve plans the runs that the flags ask for, or the one of a saved schedule.
func (f *runFlags) resolve() ([]plan.Run, error) {
	if f.schedule == "" {
		return plan.Catalog{Drivers: all.Drivers(), Check: plan.CheckScenario}.Resolve(f.Flags)
	}
	if err := f.CheckReplay(); err != nil {
		return nil, err
	}
	s, ds, err := nemesis.LoadSchedule(f.schedule, all.Drivers())
	if err != nil {
		return nil, fmt.Errorf("--schedule: %w", err)
	}
	f.replay = s.Tests
	return []plan.Run{{Scenario: s.Scenario, Drivers: ds, Seed: s.Seed}}, nil
}

// ran is what a run left. model is nil if it could not be judged.
type ran struct {
	result progress.Result
	model  *report.Model
}

// runOne runs and reports.
func runOne(cmd *cobra.Command, f runFlags, p plan.Run) (ran, error) {
	show, about := newProgress(cmd, f), meta(p, f)
	farewellIn(cmd.Context()).begin(f.out, about.Started, show.feeds)
	dir, err := run.Run(cmd.Context(), run.Config{
		Scenario: p.Scenario, Drivers: p.Drivers, Backends: servers.Backends(), Seed: p.Seed, Direct: f.direct, Replay: f.replay,
		Out: f.out, Label: p.Label(), First: p.First(), Meta: about, Fence: resource.RejectLower, Progress: show.listener(f.place),
	})
	var model *report.Model
	if dir == "" {
		err = exitError{exitInternal, err}
	} else {
		show.tell(progress.Event{Kind: progress.Judging})
		model, err = conclude(cmd.Context(), dir, err)
	}
	r := ran{result(p, dir, model, err), model}
	failed := show.end(r.result)
	if model != nil {
		f.sayReport(results.Dir(dir))
	}
	if model != nil && !f.json && p.Round == nil && f.place == nil {
		failed = errors.Join(failed, renderReport(cmd, dir, model))
	}
	if failed != nil {
		code, said := exitOf(err)
		err = exitError{worst([]int{code, exitInternal}), errors.Join(said, failed)}
	}
	return r, err
}

// conclude judges what the run left, saves its report, and says how it ended. model is nil if that could not be made.
func conclude(ctx context.Context, dir string, runErr error) (model *report.Model, err error) {
	err = judge.Run(dir)
	if err == nil {
		model, err = report.Build(dir)
	}
	if err == nil {
		err = formats.Save(results.Dir(dir), report.Of(model))
	}
	switch {
	case model != nil && model.Run.Interrupted(), model == nil && ctx.Err() != nil:
		return model, exitError{exitInterrupted, errors.Join(errors.New("interrupted; the results so far were kept and are marked incomplete"), err)}
	case runErr != nil || err != nil:
		return model, exitError{exitInternal, errors.Join(runErr, err)}
	}
	return model, outcome(model)
}

// renderReport prints the report, and where its page is.
func renderReport(cmd *cobra.Command, dir string, model *report.Model) error {
	w := cmd.OutOrStdout()
	return errors.Join(text.Render(w, report.Of(model), textOptions(cmd)), sayPage(w, dir))
}

// sayPage says where the page of a run, or of rounds, is.
func sayPage(w io.Writer, dir string) error {
	_, err := fmt.Fprintf(w, "The page is %s\n", printable(filepath.Join(dir, results.ReportFile)))
	return err
}

// outcome is the exit that a judged run leads to.
func outcome(m *report.Model) error {
	if code := m.Tally.ExitCode(); code != exitValid {
		return exitError{code: code}
	}
	return nil
}

func meta(p plan.Run, f runFlags) results.Run {
	v, c := identity()
	s := p.Scenario
	m := results.Run{
		Scenario: s.Name, Summary: s.Summary, Library: scenarios.Names(), Seed: p.Seed, Round: p.Round, Argv: os.Args, Started: time.Now(),
		Version: v, Commit: c, Direct: f.direct,
		Host: results.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()},
	}
	if p.Path != "" {
		m.Sweep = &results.Sweep{Path: p.Path, Value: p.Value}
	}
	// What the host does not tell stays empty: it is only for the reader.
	if kernel, err := host.KernelVersion(); err == nil {
		m.Host.Kernel = kernel
	}
	if cpus, err := cpu.InfoWithContext(context.Background()); err == nil && len(cpus) > 0 {
		m.Host.CPU = cpus[0].ModelName
	}
	if vm, err := mem.VirtualMemory(); err == nil {
		m.Host.Memory = vm.Total
	}
	return m
}
