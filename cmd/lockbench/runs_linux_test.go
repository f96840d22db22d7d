package main

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run/nemesis"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/scenarios"
)

// short is a scenario whose faults leave much to be drawn.
const short = `name: short
summary: It is over soon.
drivers: [redis-redlock]
workload: {clients: 3, workers: 1, locks: 1, ttl: 2s, hold: 1ms, think: 5ms, acquire-timeout: 500ms, fencing: unfenced, lost: heeding}
phases:
  - {name: waiter, for: 50ms, faults: [{name: partition, target: waiter}]}
  - {name: drawn, for: 50ms, draw: 4, faults: [{name: partition, target: minority, for: 50ms}, {name: pause, target: random, for: 50ms}]}
require: {grants: 3, attempts: 1, allowance: 4s}
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must.Succeed(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// finish runs the process to its end, which must be one of those wanted, and returns the directories of its runs.
func (p *process) finish(want ...int) []string {
	p.t.Helper()
	p.Args = append(p.Args, "--out", p.out)
	if err := p.Start(); err != nil {
		p.t.Fatal(err)
	}
	if code := p.exitCode(); !slices.Contains(want, code) {
		p.t.Fatalf("exit code %d, want one of %d\n%s%s", code, want, &p.stdout, &p.said)
	}
	p.nothingLeft()
	dirs, err := filepath.Glob(filepath.Join(p.out, "*"))
	if err != nil {
		p.t.Fatal(err)
	}
	return dirs
}

// injectedIn lists what was injected into whom in a run, without its times. Those count from the run's begin: a step
// comes after the begin of its test, and before the run ended.
func injectedIn(t *testing.T, dir string) []nemesis.Step {
	t.Helper()
	file := filepath.Join(dir, results.ScheduleFile)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s nemesis.Schedule
	must.Succeed(t, scenarios.Unmarshal(file, b, &s))
	saved, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	var steps []nemesis.Step
	for _, test := range s.Tests {
		for _, step := range test.Steps {
			if at := step.At; test.Begin <= 0 || at < test.Begin || step.Healed < at || step.Healed > saved.Run.Finished.Sub(saved.Run.Started) {
				t.Errorf("test %s began at %v, and its step: %+v", test.Test, test.Begin, step)
			}
			step.At, step.Healed = 0, 0
			steps = append(steps, step)
		}
	}
	return steps
}

// TestScheduleIsReplayed repeats a run from its schedule, in which another seed was written: were anything drawn again,
// other hosts would be hit.
func TestScheduleIsReplayed(t *testing.T) {
	t.Parallel()
	ran := []int{exitValid, exitViolation, exitUnknown} // what a lock does on a busy machine is not the question here
	first := start(t, "run", "--scenario", write(t, "short.yaml", short), "--seed", "5").finish(ran...)
	want := injectedIn(t, first[0])
	if len(want) != 5 {
		t.Fatalf("%d faults were injected, want 5: %+v", len(want), want)
	}
	b, err := os.ReadFile(filepath.Join(first[0], results.ScheduleFile))
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "schedule.yaml", strings.Replace(string(b), "seed: 5\n", "seed: 6\n", 1))
	again := start(t, "run", "--schedule", file).finish(ran...)
	if got := injectedIn(t, again[0]); !reflect.DeepEqual(got, want) {
		t.Errorf("injected again:\n%+v\nwant:\n%+v", got, want)
	}
	saved, err := results.Load(again[0])
	if err != nil || saved.Run.Seed != 6 || saved.Run.Scenario != "short" || len(saved.Run.Drivers) != 1 {
		t.Errorf("%v, %+v", err, saved.Run)
	}
}

// still is a scenario without faults.
const still = `name: still
summary: It does nothing.
drivers: [redis-setnx]
workload: {clients: 2, workers: 1, locks: 1, ttl: 2s, hold: 1ms, think: 5ms, acquire-timeout: 500ms, fencing: unfenced, lost: heeding}
phases: [{name: quiet, for: 100ms}]
require: {grants: 2, attempts: 0, allowance: 4s}
`

// TestSweep: one run for each value, each with a directory, and a line with its exit; the worst counts. The second of
// these cannot run, because its servers are not on PATH.
func TestSweep(t *testing.T) {
	t.Parallel()
	p := start(t, "run", "--seed", "1", "--sweep", "$.drivers=[redis-setnx],[zookeeper]", "--scenario", write(t, "still.yaml", still))
	redis, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	must.Succeed(t, os.Symlink(redis, filepath.Join(bin, "redis-server")))
	p.Env = append(p.Env, "PATH="+bin)
	dirs := p.finish(exitUnknown)
	if len(dirs) != 2 || !strings.HasSuffix(dirs[0]+dirs[1], "-still--zookeeper-") || !strings.Contains(dirs[0]+dirs[1], "-still--redis-setnx-") {
		t.Fatalf("directories: %v", dirs)
	}
	for _, dir := range dirs {
		saved, err := results.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		value := "[" + saved.Run.Drivers[0].Name + "]"
		if got := saved.Run.Sweep.String(); got != "$.drivers = "+value || saved.Run.Seed != 1 {
			t.Errorf("%s: its settings say %q", dir, got)
		}
		code := map[string]string{"[redis-setnx]": "0", "[zookeeper]": "3"}[value]
		for _, line := range []string{
			"$.drivers = " + value + ": exit code " + code + ", " + dir + "\n",
			"scenario still with $.drivers = " + value + ", seed 1",
		} {
			if !strings.Contains(p.stdout.String(), line) {
				t.Errorf("it does not say %q:\n%s", line, &p.stdout)
			}
		}
	}
}

// TestRounds: each round has a directory in that of all, a seed of its own, of which the first is the one asked for,
// and begins with another lock; what they say together is printed, and saved.
func TestRounds(t *testing.T) {
	t.Parallel()
	p := start(t, "run", "--rounds", "2", "--seed", "4", "--quiet", "--scenario", write(t, "alone.yaml", `name: alone
summary: It measures.
drivers: [redis-setnx, redis-setnx+renew]
workload: {clients: 2, workers: 1, locks: 1, ttl: 2s, hold: 0s, think: 0s, acquire-timeout: 500ms, fencing: unfenced, lost: heeding}
phases: [{name: quiet, alone: true, latency: true, for: 100ms, workload: {clients: 1, workers: 1}}]
require: {grants: 2, attempts: 0, allowance: 4s}
`))
	sets := p.finish(exitValid)
	if len(sets) != 1 || !strings.HasSuffix(sets[0], "-alone-rounds") {
		t.Fatalf("directories: %v", sets)
	}
	dirs, err := results.Runs(sets[0])
	if err != nil || len(dirs) != 2 {
		t.Fatalf("%v, %v", dirs, err)
	}
	seeds := map[uint64]bool{}
	for i, dir := range dirs {
		saved, err := results.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if r := saved.Run.Round; r == nil || r.N != i+1 || r.Of != 2 {
			t.Errorf("%s is round %+v", dir, r)
		}
		if i == 0 && saved.Run.Seed != 4 {
			t.Errorf("the first round has seed %d", saved.Run.Seed)
		}
		seeds[saved.Run.Seed] = true
		var order []string
		for _, test := range slices.SortedFunc(slices.Values(saved.Run.Tests), func(a, b results.Test) int {
			return cmp.Compare(firstOp(t, saved.Dir, a.Name), firstOp(t, saved.Dir, b.Name))
		}) {
			order = append(order, test.Driver)
		}
		for _, d := range saved.Run.Drivers {
			if m := d.RoundTripsMeasured; m == nil || m.Reason == "" && m.N != d.RoundTrips { // a machine may be too busy
				t.Errorf("round %d: the round trips of %s: %+v", i+1, d.Name, m)
			}
		}
		if want := [][]string{{"redis-setnx", "redis-setnx+renew"}, {"redis-setnx+renew", "redis-setnx"}}[i]; !slices.Equal(order, want) {
			t.Errorf("round %d ran %v, want %v", i+1, order, want)
		}
	}
	if len(seeds) != 2 {
		t.Errorf("the rounds share a seed: %v", seeds)
	}
	for _, name := range []string{results.SummaryFile, results.ReportFile} {
		if _, err := os.Stat(filepath.Join(sets[0], name)); err != nil {
			t.Error(err)
		}
	}
	for _, words := range []string{"lockbench: 2 rounds of alone\n", "valid in 2 of 2", dirs[0] + ": seed 4, complete"} {
		if !strings.Contains(p.stdout.String(), words) {
			t.Errorf("it does not say %q:\n%s", words, &p.stdout)
		}
	}
}

// firstOp is the time of the first line of a test's history.
func firstOp(t *testing.T, dir results.Dir, test string) int64 {
	t.Helper()
	f, err := os.Open(dir.History(test))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	op, err := history.NewReader(f).Next()
	if err != nil {
		t.Fatal(err)
	}
	return op.Time
}

func TestWorstExit(t *testing.T) {
	for _, tt := range []struct {
		codes []int
		want  int
	}{
		{nil, exitValid},
		{[]int{exitValid, exitUnknown}, exitUnknown},
		{[]int{exitUnknown, exitViolation, exitValid}, exitViolation},
		{[]int{exitViolation, exitInternal}, exitInternal},
		{[]int{exitInternal, exitUsage}, exitUsage},
		{[]int{exitValid, exitInterrupted, exitInternal}, exitInterrupted},
	} {
		if got := worst(tt.codes); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.codes, got, tt.want)
		}
	}
}
