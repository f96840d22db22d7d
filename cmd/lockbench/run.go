package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/judge"
	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/internal/orchestrator"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/scenarios"
)

// runFlags are the values of `lockbench run`'s flags; zero leaves the scenario's value.
type runFlags struct {
	scenario, out, hold, fencing, heedLost, resource string
	drivers                                          []string
	seed                                             uint64
	clients, workers                                 int
	ttl, duration                                    time.Duration
	rate                                             float64
	direct                                           bool
}

func newRunCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "run", Short: "Run a scenario and compare the locks",
		Long: `Runs a scenario against real servers on this machine, judges the recorded histories, and prints the
comparison. What the run leaves lies in a directory of its own below --out.

Without --driver the six locks run, without their variants. A lock whose servers are not installed is shown as not run.`,
		Example: `  lockbench run --scenario partition
  lockbench run --scenario partition --driver redis-setnx+renew,etcd --seed 7
  lockbench run --scenario partition --driver etcd --fencing on --heed-lost off --ttl 3s
  lockbench run --scenario partition --driver postgres-row --rate 200 --duration 10s --direct`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runScenario(cmd, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.scenario, "scenario", "", "shipped scenario, or path of a YAML file (required; see lockbench list)")
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
	fl.BoolVar(&f.direct, "direct", false, "no proxies between clients and servers; phases that cut links do not run")
	fl.StringVar(&f.out, "out", "results", "directory in which the run's directory is made")
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
	s, picked, err := resolve(cmd, f)
	if err != nil {
		return usage(err)
	}
	if runtime.GOOS != "linux" {
		return exitError{exitInternal, fmt.Errorf("run %s: %w", s.Name, agent.ErrUnsupported)}
	}
	if !cmd.Flags().Changed("seed") {
		if f.seed, err = drawSeed(); err != nil {
			return err
		}
	}
	progress := cmd.ErrOrStderr()
	fmt.Fprintf(progress, "lockbench: scenario %s, seed %d, drivers %s\n", s.Name, f.seed, strings.Join(names(picked), ", "))
	cfg := orchestrator.Config{
		Scenario: s, Drivers: picked, Backends: cluster.Backends(), Seed: f.seed, Direct: f.direct, Out: f.out,
		Meta: meta(s, f), Fence: resource.RejectLower,
		Progress: func(line string) { fmt.Fprintln(progress, line) },
	}
	dir, runErr := orchestrator.Run(cmd.Context(), cfg)
	if dir == "" {
		return exitError{exitInternal, runErr}
	}
	return conclude(cmd, dir, runErr)
}

// conclude judges and reports what the run left, and says how it ended.
func conclude(cmd *cobra.Command, dir string, runErr error) error {
	err := judge.Run(dir)
	var model *report.Model
	if err == nil {
		model, err = report.Build(dir)
	}
	if err == nil {
		err = errors.Join(
			report.Render(cmd.OutOrStdout(), report.Text, model, report.Options{Color: wantsColor(cmd.OutOrStdout())}),
			report.Save(results.Dir(dir), model))
	}
	fmt.Fprintf(cmd.OutOrStdout(), "The page is %s\n", filepath.Join(dir, results.ReportFile))
	switch {
	case cmd.Context().Err() != nil:
		return exitError{exitInterrupted, errors.Join(errors.New("interrupted; what there is was kept and is marked incomplete"), err)}
	case runErr != nil || err != nil:
		return exitError{exitInternal, errors.Join(runErr, err)}
	}
	return outcome(model)
}

// outcome is the exit that a judged run leads to.
func outcome(m *report.Model) error {
	if code := m.Tally.ExitCode(); code != exitValid {
		return exitError{code: code}
	}
	return nil
}

// wantsColor reports whether w is a terminal whose user has not asked for plain text (https://no-color.org).
func wantsColor(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// resolve turns the flags into a scenario and drivers, or says what is wrong with them.
func resolve(cmd *cobra.Command, f runFlags) (scenarios.Scenario, []drivers.Driver, error) {
	if f.scenario == "" {
		return scenarios.Scenario{}, nil, fmt.Errorf("--scenario is missing; there are: %s", strings.Join(scenarioNames(), ", "))
	}
	s, err := scenarios.Load(f.scenario)
	if err != nil {
		return s, nil, err
	}
	if err := orchestrator.CheckDrivers(s, driverNames()); err != nil {
		return s, nil, errors.Join(err, orchestrator.CheckScenario(s, nil))
	}
	wanted := f.drivers
	if len(wanted) == 0 {
		wanted = s.Drivers
	}
	picked, err := pick(wanted)
	if err != nil {
		return s, nil, err
	}
	if err := f.apply(cmd.Flags().Changed, &s); err != nil {
		return s, nil, err
	}
	for _, d := range picked {
		if d.Info.MinTTL > time.Duration(s.Workload.TTL) {
			return s, nil, fmt.Errorf("--ttl %v is below the shortest that %s honours, %v", time.Duration(s.Workload.TTL), d.Info.Name, d.Info.MinTTL)
		}
	}
	return s, picked, errors.Join(s.Validate(), orchestrator.CheckScenario(s, picked))
}

// apply overrides the scenario with the flags that were given.
func (f runFlags) apply(changed func(string) bool, s *scenarios.Scenario) (err error) {
	w := &s.Workload
	set := func(flag string, do func() error) {
		if err == nil && changed(flag) {
			if e := do(); e != nil {
				err = fmt.Errorf("--%s: %w", flag, e)
			}
		}
	}
	set("clients", func() error { w.Clients = f.clients; return nil })
	set("workers", func() error { w.Workers = f.workers; return nil })
	set("ttl", func() error { w.TTL = scenarios.Duration(f.ttl); return nil })
	set("hold", func() (e error) { w.Hold, e = scenarios.ParseRange(f.hold); return e })
	set("fencing", func() (e error) { w.Fencing, e = scenarios.ParseToggle(f.fencing); return e })
	set("heed-lost", func() (e error) { w.HeedLost, e = scenarios.ParseToggle(f.heedLost); return e })
	set("resource", func() (e error) { w.Resource, e = scenarios.ParseResource(f.resource); return e })
	set("rate", func() error {
		if !(f.rate > 0) || math.IsInf(f.rate, 0) {
			return fmt.Errorf("%v is not a rate above 0", f.rate)
		}
		w.Rate = f.rate
		return nil
	})
	set("duration", func() error {
		if f.duration <= 0 {
			return fmt.Errorf("%v is not above 0", f.duration)
		}
		for i := range s.Phases {
			if len(s.Phases[i].Faults) == 0 {
				s.Phases[i].For = scenarios.Span{Fixed: f.duration}
			}
		}
		return nil
	})
	return err
}

// pick finds the drivers by name; none named: those that are no variants.
func pick(wanted []string) ([]drivers.Driver, error) {
	var picked []drivers.Driver
	known := all.Drivers()
	if len(wanted) == 0 {
		for _, d := range known {
			if d.Info.Variant() == "" {
				picked = append(picked, d)
			}
		}
		return picked, nil
	}
	seen := map[string]bool{}
next:
	for _, name := range wanted {
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, d := range known {
			if d.Info.Name == name {
				picked = append(picked, d)
				continue next
			}
		}
		return nil, errors.New(nearest.Unknown("driver", name, driverNames()))
	}
	return picked, nil
}

func names(ds []drivers.Driver) []string {
	var out []string
	for _, d := range ds {
		out = append(out, d.Info.Name)
	}
	return out
}

func drawSeed() (uint64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("draw a seed: %w", err)
	}
	return binary.LittleEndian.Uint64(b[:]) >> 11, nil // short enough for JSON readers that know only doubles
}

func meta(s scenarios.Scenario, f runFlags) results.Run {
	v, c := identity()
	w := s.Workload
	m := results.Run{
		Scenario: s.Name, Summary: s.Summary, Seed: f.seed, Argv: os.Args, Started: time.Now(),
		Version: v, Commit: c, Direct: f.direct,
		Host: results.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()},
		Settings: map[string]string{
			"clients": fmt.Sprint(w.Clients), "workers": fmt.Sprint(w.Workers), "locks": fmt.Sprint(w.Locks),
			"ttl": time.Duration(w.TTL).String(), "hold": w.Hold.String(), "think": w.Think.String(),
			"acquire-timeout": time.Duration(w.AcquireTimeout).String(),
			"fencing":         string(w.Fencing), "heed-lost": string(w.HeedLost),
		},
	}
	if w.Resource != "" {
		m.Settings["resource"] = string(w.Resource)
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
