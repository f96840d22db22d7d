package run

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/procfs"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/workload"
	"github.com/lockbench/lockbench/scenarios"
)

// What strangers do to a process in the middle of a phase without a fault is recorded, told and named in the verdict,
// which is unknown. The next test runs on servers that are whole.
func TestOutside(t *testing.T) {
	for _, c := range []struct {
		name, program string
		signal        syscall.Signal
		what          string
		status        results.Status
	}{
		{"server dies", "redis-server", syscall.SIGKILL, history.Died, results.Incomplete},
		{"client dies", workload.Subcommand, syscall.SIGKILL, history.Died, results.Incomplete},
		{"server stops", "redis-server", syscall.SIGSTOP, history.Stopped, results.Complete},
		{"client stops", workload.Subcommand, syscall.SIGSTOP, history.Stopped, results.Complete},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := only(quick(t, time.Second), "healed")
			s.Phases[0].For = scenarios.Span{Fixed: 2500 * time.Millisecond}
			var once sync.Once
			var struck error
			run, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("redis-setnx")}, Progress: func(e progress.Event) {
				if e.Kind == progress.Tick && e.Counts.Grants > 0 {
					once.Do(func() { struck = signalChild(c.program, c.signal) })
				}
			}})
			if struck != nil {
				t.Fatal(struck)
			}
			first := run.Tests[0]
			r := judged[first.Name]
			if first.Status != c.status {
				t.Errorf("status %q: %s", first.Status, first.Reason)
			}
			if len(r.Outside) == 0 || r.Exclusion.Verdict != checker.Unknown || !strings.Contains(r.Exclusion.Reason, "no fault did it") {
				t.Errorf("exclusion %+v, outside %+v", r.Exclusion, r.Outside)
			}
			for _, e := range r.Outside {
				if e.What != c.what && e.What != history.Stalled {
					t.Errorf("it was told that %s", e.Text(r.Begin))
				}
			}
			// A client's own meter sees it, too.
			if c.name == "client stops" && time.Duration(r.Stalls.Longest) < 100*time.Millisecond {
				t.Errorf("stalls %+v", r.Stalls)
			}
			second := run.Tests[1]
			if r := judged[second.Name]; second.Status != results.Complete || r.Exclusion.Verdict != checker.Valid {
				t.Errorf("the next test: %s %s, exclusion %+v", second.Status, second.Reason, r.Exclusion)
			}
		})
	}
}

// signalChild sends a signal to a process that this one has started. One that was stopped goes on after a while.
func signalChild(program string, s syscall.Signal) error {
	family, err := procfs.Family(os.Getpid())
	if err != nil {
		return err
	}
	for _, p := range family {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
		if err != nil || p.PID == os.Getpid() || !bytes.Contains(line, []byte(program)) {
			continue
		}
		if s == syscall.SIGSTOP {
			time.AfterFunc(300*time.Millisecond, func() { _ = syscall.Kill(p.PID, syscall.SIGCONT) })
		}
		return syscall.Kill(p.PID, s)
	}
	return fmt.Errorf("no %s runs", program)
}

// A fault that waits for what never comes is not injected, and nothing is proven then.
func TestFaultThatIsNotInjected(t *testing.T) {
	t.Parallel()
	s := only(quick(t, time.Second), "holder-cut", "healed")
	s.Workload.Lost, s.Workload.Fencing = scenarios.Heeding, scenarios.Unfenced
	s.Phases[0].Faults = []scenarios.Fault{{Name: "pause", Target: "holder", When: scenarios.Moment{Event: scenarios.Rival}}}
	_, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("redis-setnx+renew")}})
	r := judged["redis-setnx+renew.unfenced.heeding"]
	if r.Exclusion.Verdict != checker.Unknown || !strings.Contains(r.Exclusion.Reason, "was not injected") || len(r.Faults) != 1 || !r.Faults[0].Missed {
		t.Errorf("exclusion %+v, faults %+v", r.Exclusion, r.Faults)
	}
}

// A fault lasts as long as it should, although too few acquires were attempted meanwhile. That is unknown.
func TestFaultLastsWhatItShould(t *testing.T) {
	t.Parallel()
	s := only(quick(t, 3*time.Second), "holder-cut", "healed")
	s.Workload.Lost, s.Workload.Fencing, s.Require.Attempts = scenarios.Heeding, scenarios.Unfenced, 1000
	short := scenarios.Span{Fixed: 300 * time.Millisecond}
	s.Phases[0].Faults = []scenarios.Fault{{Name: "reset", Target: "holder", For: &short}}
	s.Phases[0].For = short
	_, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("redis-setnx+renew")}})
	r := judged["redis-setnx+renew.unfenced.heeding"]
	if len(r.Faults) != 1 || r.Exclusion.Verdict != checker.Unknown || !strings.Contains(r.Exclusion.Reason, "1000 are needed") {
		t.Fatalf("exclusion %+v, faults %+v", r.Exclusion, r.Faults)
	}
	// The phase goes on until its bound, which is more than 9 s.
	if f := r.Faults[0]; f.To == 0 || f.To-f.From > int64(5*time.Second) {
		t.Errorf("it was in force for %v", time.Duration(f.To-f.From))
	}
}
