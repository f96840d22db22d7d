package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// quietFor is a scenario without faults.
func quietFor(t *testing.T, name, span, more string) string {
	return write(t, name+".yaml", strings.NewReplacer("name: still", "name: "+name, "for: 100ms", "for: "+span).Replace(still)+more)
}

// seriesIn finds the directory of the series, and those of the runs in it.
func seriesIn(t *testing.T, out string) (dir string, runs []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(out, "*-series"))
	if err != nil || len(found) != 1 {
		t.Fatalf("series: %v, %v", found, err)
	}
	runs, err = results.RunsIn(found[0])
	must.Succeed(t, err)
	return found[0], runs
}

// TestSeveralScenarios: each run has a directory in that of all, with one page; what cannot run is said, the rest goes
// on, and the worst exit code counts.
func TestSeveralScenarios(t *testing.T) {
	t.Parallel()
	swept := quietFor(t, "swept", "100ms", "sweep: {path: '$.workload.hold', values: [1ms, 2ms]}\n")
	lacks := write(t, "lacks.yaml", strings.NewReplacer("name: still", "name: lacks", "redis-setnx", "zookeeper").Replace(still))
	p := start(t, "run", "--json", "--scenario", swept+","+lacks+","+quietFor(t, "last", "100ms", ""))
	redis, err := exec.LookPath("redis-server")
	must.Succeed(t, err)
	bin := t.TempDir()
	must.Succeed(t, os.Symlink(redis, filepath.Join(bin, "redis-server")))
	p.Env = append(p.Env, "PATH="+bin)
	p.finish(exitUnknown)
	dir, runs := seriesIn(t, p.out)
	if len(runs) != 4 {
		t.Fatalf("runs: %v", runs)
	}
	var events []progress.Event
	for line := range strings.Lines(p.stdout.String()) {
		var e progress.Event
		must.Succeed(t, json.Unmarshal([]byte(line), &e))
		events = append(events, e)
	}
	first, last := events[0], events[len(events)-1]
	if first.Kind != progress.SeriesStarted || first.Expected <= 0 || first.Dir != dir {
		t.Errorf("the first event: %+v", first)
	}
	if last.Kind != progress.SeriesEnded || len(last.Results) != 4 || last.Results[2].Scenario != "lacks" || last.Results[2].Exit != exitUnknown {
		t.Errorf("the last event: %+v", last)
	}
	seeds := map[uint64]bool{}
	for _, e := range events {
		if e.Kind == progress.RunStarted {
			seeds[e.Run.Seed] = true
			if p := e.Run.Place; p == nil || p.Of != 4 || (p.Left > 0) != (p.N < 4) {
				t.Errorf("%s is run %+v", e.Run.Scenario, p)
			}
		}
	}
	if len(seeds) != 1 {
		t.Errorf("seeds: %v", seeds)
	}
	for name, word := range map[string]string{results.ReportFile: "swept", results.SummaryFile: "lacks", results.JUnitFile: "last"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(b), word) {
			t.Errorf("%s: %v, and does not tell of %s", name, err, word)
		}
	}
}

// TestSeriesGoesOn: after a kill the same command keeps what was complete, and runs what was not. Other flags are
// refused.
func TestSeriesGoesOn(t *testing.T) {
	t.Parallel()
	names := quietFor(t, "before", "100ms", "") + "," + quietFor(t, "killed", "3s", "") + "," + quietFor(t, "after", "100ms", "")
	p := start(t, "run", "--scenario", names)
	p.Args = append(p.Args, "--out", p.out)
	must.Succeed(t, p.Start())
	must.Eventually(t, "the second run is under way", func() bool {
		streams, _ := filepath.Glob(filepath.Join(p.out, "*-series", "*-killed", results.StreamDir, "*", "c1*.stream"))
		return len(streams) > 0
	})
	must.Succeed(t, p.Process.Kill())
	_ = p.Wait()
	p.nothingLeft()
	dir, runs := seriesIn(t, p.out)
	kept, err := os.Stat(filepath.Join(runs[0], results.RunFile))
	must.Succeed(t, err)

	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--scenario", names, "--seed", "3"}, "has another seed"},
		{[]string{"--scenario", names, "--ttl", "3s"}, "has another ttl (2s, and not 3s)"},
		{[]string{"--scenario", names, "--driver", "redis-setnx+renew"}, "has another choice of locks"},
		{[]string{"--scenario", "partition,client-pause"}, "is a run of before, which is not asked for"},
		{[]string{"--scenario", "partition"}, "--resume goes on with several scenarios"},
		{[]string{"--scenario", names, "--out", p.out}, "--resume and --out exclude each other"},
	} {
		wrong := lockbench(t, append([]string{"run", "--resume", dir}, tt.args...)...)
		must.Succeed(t, wrong.Start())
		if code := wrong.exitCode(); code != exitUsage || !strings.Contains(wrong.said.String(), tt.want) {
			t.Errorf("%v: exit code %d, %s; want %q", tt.args, code, &wrong.said, tt.want)
		}
	}

	again := start(t, "run", "--scenario", names, "--resume", dir)
	must.Succeed(t, again.Start())
	if code := again.exitCode(); code != exitValid {
		t.Fatalf("exit code %d\n%s", code, &again.said)
	}
	_, now := seriesIn(t, p.out)
	if len(now) != 3 || now[0] != runs[0] {
		t.Fatalf("runs: %v, before: %v", now, runs)
	}
	if st, err := os.Stat(filepath.Join(runs[0], results.RunFile)); err != nil || !st.ModTime().Equal(kept.ModTime()) {
		t.Errorf("%v: the run that was complete was run again", err)
	}
	if _, err := os.Stat(filepath.Join(dir, replacedDir, filepath.Base(runs[1]), results.RunFile)); err != nil {
		t.Errorf("the run that was killed was not put aside: %v", err)
	}
	if said := again.said.String(); !strings.Contains(said, "3 runs of 3 scenarios, 1 of them over already") {
		t.Errorf("it says %s", said)
	}
	said := again.stdout.String()
	answer, single, list := strings.LastIndex(said, "Which lock for which work"), strings.LastIndex(said, "Saved in"), strings.LastIndex(said, "The scenarios")
	if answer < single || list < answer {
		t.Errorf("what all runs come to stands neither behind them nor before their list:\n%s", said)
	}
	if _, err := os.Stat(filepath.Join(dir, results.ReportFile)); err != nil {
		t.Error(err)
	}
}

// TestSeriesInterrupted: what there is gets its page, and the rest is told as not run.
func TestSeriesInterrupted(t *testing.T) {
	t.Parallel()
	p := start(t, "run", "--scenario", quietFor(t, "long", "1h", "")+","+quietFor(t, "after", "100ms", ""))
	p.Args = append(p.Args, "--out", p.out)
	must.Succeed(t, p.Start())
	must.Eventually(t, "the first run is under way", func() bool {
		streams, _ := filepath.Glob(filepath.Join(p.out, "*-series", "*-long", results.StreamDir, "*", "c1*.stream"))
		return len(streams) > 0
	})
	must.Succeed(t, p.Process.Signal(os.Interrupt))
	if code := p.exitCode(); code != exitInterrupted {
		t.Fatalf("exit code %d\n%s", code, &p.said)
	}
	dir, _ := seriesIn(t, p.out)
	for _, want := range []string{"after: not run: interrupted", filepath.Join(dir, results.ReportFile), "--resume " + dir} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &p.stdout)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, results.ReportFile)); err != nil || !strings.Contains(string(b), "long") {
		t.Errorf("the page: %v", err)
	}
}
