// Package plan turns flags and a scenario into the runs that were asked for. It starts nothing.
package plan

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/scenarios"
)

// Run is one run.
type Run struct {
	Scenario scenarios.Scenario
	Drivers  []drivers.Driver
	Seed     uint64
	// Path is what a sweep changes, and Value what this run has there; empty: nothing is swept.
	Path, Value string
	// Round says which of several rounds this is; nil: there are no rounds.
	Round *results.Round
}

// Change says which run of a sweep this is; empty: there is no sweep.
func (r Run) Change() string {
	if r.Path == "" {
		return ""
	}
	return r.Path + " = " + r.Value
}

// Label is what the name of the run's directory has beside the scenario's.
func (r Run) Label() string {
	if r.Round != nil {
		return fmt.Sprintf("round-%d", r.Round.N)
	}
	return r.Value
}

// First is the place of the driver with which this run begins: another one in each round.
func (r Run) First() int {
	if r.Round == nil {
		return 0
	}
	return r.Round.N - 1
}

// Catalog is what there is to plan with.
type Catalog struct {
	Drivers []drivers.Driver
	// Check refuses a scenario that these drivers cannot run. Its error joins scenarios.Problems.
	Check func(scenarios.Scenario, []drivers.Driver) error
}

// Resolve makes at least one run, or says what is wrong with the flags or the scenario.
func (c Catalog) Resolve(f Flags) ([]Run, error) {
	if f.Changed("driver") && len(f.Drivers) == 0 {
		return nil, fmt.Errorf("--driver names no driver; there are: %s", strings.Join(c.names(), ", "))
	}
	runs, err := c.once(f)
	switch {
	case err != nil || !f.Changed("rounds"):
		return runs, err
	case f.Rounds < 1 || f.Rounds > maxRounds:
		return nil, fmt.Errorf("--rounds: %d is not %s", f.Rounds, RoundsWanted())
	case runs[0].Path != "":
		return nil, errors.New("--rounds and a sweep exclude each other: run the rounds of each value by itself")
	}
	return runs[0].rounds(f.Rounds), nil
}

// once plans the runs of one round.
func (c Catalog) once(f Flags) ([]Run, error) {
	if f.Scenario == "" {
		return nil, fmt.Errorf("--scenario is missing; there are: %s", strings.Join(scenarios.Names(), ", "))
	}
	s, err := scenarios.Load(f.Scenario)
	if err != nil {
		return nil, err
	}
	return c.of(f, s)
}

// of plans the runs of a scenario.
func (c Catalog) of(f Flags, s scenarios.Scenario) (runs []Run, err error) {
	if !f.Changed("seed") {
		if f.Seed, err = drawSeed(); err != nil {
			return nil, err
		}
	}
	if f.Changed("sweep") {
		sweep, err := scenarios.ParseSweep(f.Sweep)
		if err != nil {
			return nil, fmt.Errorf("--sweep: %w", err)
		}
		s.Sweep = &sweep
	}
	if s.Sweep != nil {
		return c.sweep(f, s)
	}
	r, err := c.run(f, s)
	return []Run{r}, err
}

// run plans one run of a scenario that is not swept.
func (c Catalog) run(f Flags, s scenarios.Scenario) (Run, error) {
	if err := checkNames(s, c.names()); err != nil {
		return Run{}, errors.Join(err, c.Check(s, nil))
	}
	r, err := c.plain(f, s)
	return r, c.blame(f, s, err)
}

// plain plans one run, and says what is wrong where the scenario has it.
func (c Catalog) plain(f Flags, s scenarios.Scenario) (Run, error) {
	wanted := f.Drivers
	if len(wanted) == 0 {
		wanted = s.Drivers
	}
	picked, err := c.pick(wanted)
	if err != nil {
		return Run{}, fmt.Errorf("--driver: %w", err) // those of the scenario are known
	}
	if len(f.Drivers) == 0 {
		picked = c.withRenewal(picked, s.Workload.Renewal)
	}
	if err := f.override(&s); err != nil {
		return Run{}, err
	}
	if err := s.Validate(); err != nil {
		return Run{}, s.Locate(err)
	}
	errs := parts(c.Check(s, picked))
	for _, d := range picked {
		if ttl := time.Duration(s.Workload.TTL); d.Info.MinTTL > ttl {
			short := &scenarios.Problem{Path: "$.workload.ttl", Text: fmt.Sprintf("%v is below the shortest that %s honours, %v", ttl, d.Info.Name, d.Info.MinTTL)}
			errs = append(errs, parts(s.Locate(errors.Join(short)))...)
		}
	}
	return Run{Scenario: s, Drivers: picked, Seed: f.Seed}, errors.Join(errs...)
}

// sweep plans a run for every value.
func (c Catalog) sweep(f Flags, s scenarios.Scenario) ([]Run, error) {
	variants, err := s.Variants(*s.Sweep)
	if err != nil {
		return nil, f.blameSweep(err, nil)
	}
	var runs []Run
	for i, v := range variants {
		r, err := c.run(f, v)
		r.Path, r.Value = s.Sweep.Path, s.Sweep.Values[i]
		if err != nil {
			_, without := c.run(f, s)
			return nil, fmt.Errorf("%s with %s: %w", s.Name, r.Change(), f.blameSweep(err, problemsOf(without)))
		}
		for _, other := range runs {
			if reflect.DeepEqual(other.Scenario, r.Scenario) {
				return nil, fmt.Errorf("%s with %s and with %s is the same run: a value is there twice, or a flag overrides it", s.Name, other.Change(), r.Value)
			}
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// rounds repeats a run. The first round has the run's own seed, so that it is the run that there would be without
// rounds; the seeds of the others follow from it.
func (r Run) rounds(n int) []Run {
	var all []Run
	for i := range n {
		round := r
		round.Round = &results.Round{N: i + 1, Of: n}
		if i > 0 {
			round.Seed = rng.Stream(r.Seed, "round", i).Uint64() >> seedShift
		}
		all = append(all, round)
	}
	return all
}

func drawSeed() (uint64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("draw a seed: %w", err)
	}
	return binary.LittleEndian.Uint64(b[:]) >> seedShift, nil
}

// seedShift makes seeds short enough for JSON readers that know only doubles.
const seedShift = 11
