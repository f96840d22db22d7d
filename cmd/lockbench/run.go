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
	"golang.org/x/term"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/judge"
	"github.com/lockbench/lockbench/internal/orchestrator"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/scenarios"
)

// runFlags are the values of `lockbench run`'s flags; zero leaves the scenario's value.
type runFlags struct {
	scenario, schedule, sweep, out, hold, fencing, heedLost, resource string
	drivers                                                           []string
	seed                                                              uint64
	clients, workers, rounds                                          int
	ttl, duration                                                     time.Duration
	rate                                                              float64
	direct, quiet, json                                               bool
}

func newRunCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "run", Short: "Run a scenario and compare the locks",
		Long: `Runs a scenario against real servers on this machine, judges the recorded histories, and prints the
comparison. What the run leaves lies in a directory of its own below --out.

With --sweep, or a scenario that says so, there is one run for each value, with a directory of its own; the exit code is
that of the worst.

With --rounds the scenario is run so often, each time with another seed and beginning with another lock, into a directory
that holds a directory for each; the report tells medians and, from five rounds on, intervals. lockbench compare puts two such
directories side by side.

What goes on is told on standard error: on a terminal as a display, elsewhere as a line for each phase, with --quiet not at
all. With --json standard output has an event a line instead of the report (docs/progress.md); the last one has the verdicts.

Without --driver the six locks run, without their variants. A lock whose servers are not installed is shown as not run.`,
		Example: `  lockbench run --scenario partition
  lockbench run --scenario partition --driver redis-setnx+renew,etcd --seed 7
  lockbench run --scenario partition --driver etcd --fencing on --heed-lost off --ttl 3s
  lockbench run --scenario partition --driver postgres-row --rate 200 --duration 10s --direct
  lockbench run --scenario ./mine.yaml --sweep '$.workload.hold=10ms,100ms,1s'
  lockbench run --scenario baseline --rounds 5
  lockbench run --scenario partition --json | jq -c 'select(.event == "run-ended").result.tests[]'
  lockbench run --schedule results/20261123T060000Z-partition/schedule.yaml`,
		Args: runArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runScenario(cmd, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.scenario, "scenario", "", "shipped scenario, or path of a YAML file (see lockbench list)")
	fl.StringVar(&f.sweep, "sweep", "", `one run for each value of one thing in the scenario: "$.workload.ttl=2s,4s" (default: the scenario's)`)
	fl.StringVar(&f.schedule, "schedule", "", "repeat a run from its schedule.yaml: the same faults on the same hosts (instead of --scenario)")
	fl.StringSliceVar(&f.drivers, "driver", nil, "drivers or variants, separated by commas (default: the scenario's, or the six locks)")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of all randomness (default: drawn, and printed)")
	fl.IntVar(&f.clients, "clients", 0, "client processes")
	fl.IntVar(&f.workers, "workers", 0, "workers of each client")
	fl.StringVar(&f.fencing, "fencing", "", "does the resource check fencing tokens: on, off or both")
	fl.StringVar(&f.heedLost, "heed-lost", "", "do workers stop when told that the lock is lost: on, off or both")
	fl.StringVar(&f.resource, "resource", "", "where the protected data lives: external, or in-transaction (in the lock's own, where it has one)")
	fl.DurationVar(&f.ttl, "ttl", 0, "length of leases and sessions")
	fl.StringVar(&f.hold, "hold", "", `time between a worker's read and write, "10ms" or "5ms..20ms"`)
	fl.Float64Var(&f.rate, "rate", 0, "open loop: acquires per second of all workers together (default: closed loop)")
	fl.DurationVar(&f.duration, "duration", 0, "length of each phase without a fault")
	fl.IntVar(&f.rounds, "rounds", 0, "repeat everything so often and report on all of it together; five or more give intervals")
	fl.BoolVar(&f.direct, "direct", false, "no proxies between clients and servers; phases that cut links do not run")
	fl.BoolVar(&f.quiet, "quiet", false, "nothing but the report at the end, and errors")
	fl.BoolVar(&f.json, "json", false, "one event a line as JSON on standard output, and no report there")
	fl.StringVar(&f.out, "out", defaultOut, "directory in which the run's directory is made")
	for name, values := range map[string]func() []string{
		"scenario": scenarioNames, "driver": driverNames,
		"fencing": toggleNames, "heed-lost": toggleNames, "resource": resourceNames,
	} {
		// Fails only for a flag that does not exist.
		_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return values(), cobra.ShellCompDirectiveNoFileComp
		})
	}
	return cmd
}

func toggleNames() []string { return []string{"on", "off", "both"} }

func resourceNames() []string {
	return []string{string(scenarios.External), string(scenarios.InTransaction)}
}

func scenarioNames() []string {
	shipped, err := scenarios.All()
	if err != nil {
		return nil // completion has nobody to tell
	}
	var names []string
	for _, s := range shipped {
		names = append(names, s.Name)
	}
	return names
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
	plans, err := f.resolve(cmd.Flags().Changed)
	if err != nil {
		return usage(err)
	}
	if runtime.GOOS != "linux" {
		return exitError{exitInternal, fmt.Errorf("run %s: %w", plans[0].scenario.Name, agent.ErrUnsupported)}
	}
	switch {
	case plans[0].round != nil:
		return runRounds(cmd, f, plans)
	case plans[0].swept != "":
		return runSweep(cmd, f, plans)
	}
	_, err = runPlan(cmd, f, plans[0])
	return err
}

// ran is what a run left. model is nil if it could not be judged.
type ran struct {
	result progress.Result
	model  *report.Model
}

// runPlan runs and reports.
func runPlan(cmd *cobra.Command, f runFlags, p plan) (ran, error) {
	show, about := newProgress(cmd, f), meta(p, f)
	farewellIn(cmd.Context()).begin(f.out, about.Started, show.feed)
	dir, err := orchestrator.Run(cmd.Context(), orchestrator.Config{
		Scenario: p.scenario, Drivers: p.drivers, Backends: cluster.Backends(), Seed: p.seed, Direct: f.direct, Replay: p.replay,
		Out: f.out, Label: p.label(), First: p.first(), Meta: about, Fence: resource.RejectLower, Progress: show.listener(),
	})
	var model *report.Model
	if dir == "" {
		err = exitError{exitInternal, err}
	} else {
		show.tell(progress.Event{Kind: progress.Judging})
		model, err = conclude(cmd.Context(), dir, err)
	}
	r := ran{result(p, dir, err), model}
	failed := show.end(r.result)
	if model != nil && !f.json && p.round == nil {
		failed = errors.Join(failed, renderReport(cmd.OutOrStdout(), dir, model))
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
		err = report.Save(results.Dir(dir), model)
	}
	switch {
	case ctx.Err() != nil:
		return model, exitError{exitInterrupted, errors.Join(errors.New("interrupted; what there is was kept and is marked incomplete"), err)}
	case runErr != nil || err != nil:
		return model, exitError{exitInternal, errors.Join(runErr, err)}
	}
	return model, outcome(model)
}

// renderReport prints the report, and where its page is.
func renderReport(w io.Writer, dir string, model *report.Model) error {
	return errors.Join(report.Render(w, report.Text, model, report.Options{Color: wantsColor(w)}), sayPage(w, dir))
}

// sayPage says where the page of a run, or of rounds, is.
func sayPage(w io.Writer, dir string) error {
	_, err := fmt.Fprintf(w, "The page is %s\n", filepath.Join(dir, results.ReportFile))
	return err
}

// outcome is the exit that a judged run leads to.
func outcome(m *report.Model) error {
	if code := m.Tally.ExitCode(); code != exitValid {
		return exitError{code: code}
	}
	return nil
}

// wantsColor reports whether w is a terminal whose user has not asked for plain text (https://no-color.org).
func wantsColor(w io.Writer) bool { return canRedraw(w) && os.Getenv("NO_COLOR") == "" }

// canRedraw reports whether w is a terminal that knows control sequences.
func canRedraw(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

func meta(p plan, f runFlags) results.Run {
	v, c := identity()
	s, w := p.scenario, p.scenario.Workload
	m := results.Run{
		Scenario: s.Name, Summary: s.Summary, Seed: p.seed, Round: p.round, Argv: os.Args, Started: time.Now(),
		Version: v, Commit: c, Direct: f.direct,
		Host: results.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()},
		Settings: map[string]string{
			"clients": fmt.Sprint(w.Clients), "workers": fmt.Sprint(w.Workers), "locks": fmt.Sprint(w.Locks),
			"ttl": time.Duration(w.TTL).String(), "hold": w.Hold.String(), "think": w.Think.String(),
			"acquire-timeout": time.Duration(w.AcquireTimeout).String(),
			"fencing":         string(w.Fencing), "heed-lost": string(w.HeedLost), results.PhasesSetting: s.Outline(),
		},
	}
	if w.Resource != "" {
		m.Settings["resource"] = string(w.Resource)
	}
	if p.swept != "" {
		m.Settings[results.SweepSetting] = p.change()
	}
	if w.Rate > 0 {
		m.Settings["rate"] = fmt.Sprintf("%g/s", w.Rate)
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
