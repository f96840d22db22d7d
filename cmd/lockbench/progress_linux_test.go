package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
)

// quiet is a scenario that is over soon.
const quiet = `name: quiet
summary: It does nothing.
drivers: [redis-setnx]
workload: {clients: 2, workers: 1, locks: 1, ttl: 2s, hold: 1ms, think: 5ms, acquire-timeout: 500ms, fencing: unfenced, lost: heeding}
phases: [{name: alone, alone: true, latency: true, for: 100ms, workload: {clients: 1, workers: 1}}, {name: still, for: 100ms}]
require: {grants: 2, attempts: 0, allowance: 4s}
`

// TestJSON: all of standard output is events, and the last one tells what the saved run does.
func TestJSON(t *testing.T) {
	t.Parallel()
	p := start(t, "run", "--json", "--scenario", write(t, "quiet.yaml", quiet))
	dir := p.finish(exitValid)[0]
	var all []progress.Event
	seen := map[progress.Kind]int{}
	for line := range strings.Lines(p.stdout.String()) {
		var e progress.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Time.IsZero() {
			t.Fatalf("no event (%v): %s", err, line)
		}
		all = append(all, e)
		seen[e.Kind]++
	}
	for kind, want := range map[progress.Kind]int{
		progress.RunStarted: 1, progress.ClusterStarting: 1, progress.ClusterReady: 1, progress.ClustersReady: 1, progress.TestStarted: 1,
		progress.PhaseStarted: 2, progress.PhaseEnded: 2, progress.TestEnded: 1, progress.Judging: 1, progress.RunEnded: 1,
	} {
		if seen[kind] != want {
			t.Errorf("%d events of kind %s, want %d", seen[kind], kind, want)
		}
	}
	last := all[len(all)-1]
	if last.Kind != progress.RunEnded || last.Result.Dir != dir || last.Result.Exit != exitValid || len(last.Result.Tests) != 1 || last.Result.Tests[0].Exclusion != "valid" {
		t.Errorf("the last event is %+v with %+v, of %s", last, last.Result, dir)
	}
	agrees(t, last.Result)
	if first := all[0]; first.Kind != progress.RunStarted || first.Run.Dir != dir || len(first.Run.Tests) != 1 || len(first.Run.Tests[0].Phases) != 2 {
		t.Errorf("the first event is %+v with %+v", first, first.Run)
	}
	for _, e := range all {
		if e.Kind == progress.PhaseEnded && (e.Counts.Grants == 0 || e.Counts.Attempts < e.Counts.Grants || e.Counts.Max == 0 || e.Counts.Rate == 0) {
			t.Errorf("phase %s: %+v", e.Phase, e.Counts)
		}
	}
	if p.said.Len() > 0 {
		t.Errorf("standard error has\n%s", &p.said)
	}
}

// agrees holds the last event of a run against the run's report.json.
func agrees(t *testing.T, r *progress.Result) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.Dir, results.JSONFile))
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Runs []struct {
			Exit    int
			Drivers []struct {
				Name  string
				Tests []struct {
					Name     string
					Verdicts map[string]struct{ State string }
				}
			}
		}
	}
	if err := json.Unmarshal(b, &report); err != nil || len(report.Runs) != 1 {
		t.Fatal(len(report.Runs), err)
	}
	want := []progress.Verdict{}
	for _, d := range report.Runs[0].Drivers {
		for i, test := range d.Tests {
			v := progress.Verdict{
				Test: test.Name, Driver: d.Name, Exclusion: test.Verdicts["exclusion"].State, Data: test.Verdicts["data"].State, Liveness: test.Verdicts["liveness"].State,
			}
			if i < len(r.Tests) {
				v.Incidents = r.Tests[i].Incidents
			}
			want = append(want, v)
		}
	}
	if report.Runs[0].Exit != r.Exit || !slices.Equal(r.Tests, want) {
		t.Errorf("the event says %d, %+v; report.json %d, %+v", r.Exit, r.Tests, report.Runs[0].Exit, want)
	}
}

// TestJSONWithoutADirectory: also a run that cannot begin ends with an event.
func TestJSONWithoutADirectory(t *testing.T) {
	t.Parallel()
	p := start(t, "run", "--json", "--scenario", write(t, "quiet.yaml", quiet), "--out", os.DevNull)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	code := p.exitCode()
	var e progress.Event
	if err := json.Unmarshal(p.stdout.Bytes(), &e); err != nil || code != exitInternal || e.Kind != progress.RunEnded || e.Result.Exit != code || e.Result.Error == "" {
		t.Errorf("exit code %d, %v:\n%s", code, err, &p.stdout)
	}
}

func TestJSONOfASweep(t *testing.T) {
	t.Parallel()
	p := start(t, "run", "--json", "--scenario", write(t, "quiet.yaml", quiet), "--sweep", "$.workload.hold=1ms,2ms")
	dirs := p.finish(exitValid)
	lines := strings.Split(strings.TrimSpace(p.stdout.String()), "\n")
	var e progress.Event
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &e); err != nil || e.Kind != progress.SweepEnded || len(e.Results) != 2 {
		t.Fatalf("%v: the last event is %+v", err, e)
	}
	for i, value := range []string{"1ms", "2ms"} {
		if r := e.Results[i]; r.Swept != "$.workload.hold = "+value || r.Dir != dirs[i] || r.Exit != exitValid {
			t.Errorf("result %d: %+v", i, r)
		}
	}
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	p := start(t, "run", "--quiet", "--scenario", write(t, "quiet.yaml", quiet))
	p.finish(exitValid)
	if p.said.Len() > 0 || !strings.Contains(p.stdout.String(), "Redis SETNX") {
		t.Errorf("standard error has %q, standard output\n%s", &p.said, &p.stdout)
	}
}
