package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/judge"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// outcome is what one seed of a shard showed.
type outcome struct {
	Commit string       `json:"commit"`
	Tests  []testResult `json:"tests"`
}

// testResult is one judged test.
type testResult struct {
	Driver  string          `json:"driver"`
	Fenced  bool            `json:"fenced"`
	Heeding bool            `json:"heeding"`
	Data    checker.Verdict `json:"data"`
	Reason  string          `json:"reason,omitempty"` // of the verdict on the data
	Counts  checker.Counts  `json:"counts"`
}

// store keeps outcomes, a file each.
type store struct{ dir, commit string }

func (s store) path(shard string, seed int) string {
	return filepath.Join(s.dir, shard, fmt.Sprintf("seed-%d.json", seed))
}

// load returns what the seed showed; !ok: it was not run, or of another commit.
func (s store) load(shard string, seed int) (o outcome, ok bool, err error) {
	b, err := os.ReadFile(s.path(shard, seed))
	if errors.Is(err, fs.ErrNotExist) {
		return o, false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &o)
	}
	if err != nil {
		return o, false, fmt.Errorf("read what seed %d of %s showed (remove the file to run it again): %w", seed, shard, err)
	}
	return o, o.Commit == s.commit, nil
}

func (s store) save(shard string, seed int, o outcome) error {
	b, err := json.MarshalIndent(o, "", " ")
	if err != nil {
		return fmt.Errorf("encode what seed %d showed: %w", seed, err)
	}
	path := s.path(shard, seed)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keep what seed %d showed: %w", seed, err)
	}
	// In one step: a file that is there is whole.
	if err := errors.Join(os.WriteFile(path+".new", b, 0o644), os.Rename(path+".new", path)); err != nil {
		return fmt.Errorf("keep what seed %d showed: %w", seed, err)
	}
	return nil
}

// record runs the seeds of the shard that are not in the store yet.
func record(ctx context.Context, s shard, seeds int, st store, out io.Writer) (err error) {
	var missing []int
	for seed := 1; seed <= seeds; seed++ {
		_, ok, err := st.load(s.name, seed)
		if err != nil {
			return err
		}
		if !ok {
			missing = append(missing, seed)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	pool, err := run.NewPool(filepath.Join(st.dir, s.name, "logs"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	for _, seed := range missing {
		began := time.Now()
		o, err := s.run(ctx, uint64(seed), pool, filepath.Join(st.dir, s.name))
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
		o.Commit = st.commit
		if err := st.save(s.name, seed, o); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: seed %d took %v\n", s.name, seed, time.Since(began).Round(100*time.Millisecond))
	}
	return nil
}

// run runs one seed and judges it. The run's directory is kept if it could not be judged.
func (s shard) run(ctx context.Context, seed uint64, pool *run.Pool, dir string) (outcome, error) {
	sc, err := s.load()
	if err != nil {
		return outcome{}, err
	}
	cfg := run.Config{
		Scenario: sc, Backends: servers.Backends(), Seed: seed, Out: dir, Pool: pool, Fence: resource.RejectLower,
		Meta: results.Run{Scenario: sc.Name, Summary: sc.Summary, Seed: seed, Started: time.Now()},
	}
	for _, name := range s.drivers {
		for _, d := range all.Drivers() {
			if d.Info.Name == name {
				cfg.Drivers = append(cfg.Drivers, d)
			}
		}
	}
	if err := plan.CheckScenario(sc, cfg.Drivers); err != nil {
		return outcome{}, err
	}
	ran, err := run.Run(ctx, cfg)
	if err == nil {
		err = judge.Run(ran)
	}
	if err != nil {
		return outcome{}, fmt.Errorf("%s: %w", ran, err)
	}
	o, err := readOutcome(ran, cfg.Drivers)
	if err != nil {
		return o, err
	}
	return o, os.RemoveAll(ran)
}

// load is the shard's scenario with the shard's phases, but for those that only measure latency.
func (s shard) load() (scenarios.Scenario, error) {
	sc, err := scenarios.Load(s.scenario)
	if err != nil {
		return sc, err
	}
	sc.Workload.Fencing, sc.Workload.Lost = s.fencing, s.lost
	sc.Phases = slices.DeleteFunc(sc.Phases, func(p scenarios.Phase) bool {
		return p.Latency || len(s.phases) > 0 && !slices.Contains(s.phases, p.Name)
	})
	return sc, sc.Validate()
}

func readOutcome(dir string, ds []drivers.Driver) (o outcome, err error) {
	saved, err := results.Load(dir)
	if err != nil {
		return o, err
	}
	for _, row := range saved.Run.Drivers {
		if row.Status != results.Complete {
			return o, fmt.Errorf("%s is %s: %s", row.Name, row.Status, row.Reason)
		}
	}
	for _, t := range saved.Run.Tests {
		for _, v := range saved.Verdicts.Tests {
			if v.Test == t.Name {
				o.Tests = append(o.Tests, testResult{
					Driver: t.Driver, Fenced: t.Fenced, Heeding: t.Heeding, Data: v.Result.Data.Verdict, Reason: v.Result.Data.Reason, Counts: v.Result.Counts,
				})
			}
		}
	}
	return o, nil
}
