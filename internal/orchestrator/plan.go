package orchestrator

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

// planTests lists the tests of one driver: every setting of fencing and heeding that the workload asks for.
func planTests(s scenarios.Scenario, d drivers.Driver) []results.Test {
	var tests []results.Test
	for _, fencing := range s.Workload.Fencing.Values() {
		for _, heed := range s.Workload.HeedLost.Values() {
			t := results.Test{
				Name:   fmt.Sprintf("%s.fencing-%s.heed-%s", d.Info.Name, onOff(fencing), onOff(heed)),
				Driver: d.Info.Name, Fencing: fencing, HeedLost: heed, Status: results.NotRun,
				Check: checker.Options{
					StuckAfter: int64(s.Workload.TTL) + int64(s.Require.Allowance), Fenced: fencing,
					MinGrants: s.Require.Grants, MinAttempts: s.Require.Attempts,
				},
				Expect: expectation(s, d.Info.Name, fencing, heed),
			}
			if fencing && d.Info.Token == "" {
				t.Status, t.Reason = results.NotApplicable, "cannot be fenced: the lock has no token"
			}
			tests = append(tests, t)
		}
	}
	return tests
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func expectation(s scenarios.Scenario, driver string, fencing, heed bool) *results.Expect {
	for _, e := range s.Expect {
		if (len(e.Drivers) == 0 || slices.Contains(e.Drivers, driver)) &&
			slices.Contains(e.Fencing.Values(), fencing) && slices.Contains(e.HeedLost.Values(), heed) {
			return &results.Expect{Exclusion: e.Exclusion, Data: e.Data}
		}
	}
	return nil
}

// planPhases decides which phases a test runs. first: it is the driver's first test, the one that runs the
// phases that run alone.
func planPhases(s scenarios.Scenario, c faults.Cluster, first bool) ([]results.Phase, error) {
	var phases []results.Phase
	for _, p := range s.Phases {
		if p.Alone && !first {
			continue
		}
		ph := results.Phase{Name: p.Name, Status: results.NotRun, Latency: p.Latency}
		if p.Fault != nil {
			ph.Fault = p.Fault.Name + " " + p.Fault.Target
			f, strike, err := aim(p.Fault)
			if err != nil {
				return nil, fmt.Errorf("phase %s: %w", p.Name, err)
			}
			switch err := f.Available(c, strike); {
			case errors.Is(err, faults.ErrNoMeaning):
				ph.Status, ph.Reason = results.NotApplicable, err.Error()
			case err != nil:
				ph.Reason = err.Error()
			}
		}
		phases = append(phases, ph)
	}
	return phases, nil
}

// CheckScenario refuses what cannot be run, by name, before anything starts.
func CheckScenario(s scenarios.Scenario) error {
	for _, p := range s.Phases {
		if p.Fault == nil {
			continue
		}
		if _, _, err := aim(p.Fault); err != nil {
			return fmt.Errorf("scenario %s: phase %s: %w", s.Name, p.Name, err)
		}
	}
	return nil
}

func aim(f *scenarios.Fault) (faults.Fault, faults.Strike, error) {
	found, err := faults.Find(f.Name)
	if err != nil {
		return nil, faults.Strike{}, err
	}
	t := faults.Target{Role: faults.Role(f.Target), Direction: faults.Direction(f.Direction)}
	if _, err := t.Role.Side(); err != nil {
		return nil, faults.Strike{}, err
	}
	if !slices.Contains([]faults.Direction{"", faults.Both, faults.In, faults.Out}, t.Direction) {
		return nil, faults.Strike{}, fmt.Errorf("unknown direction %q; there are: both, in, out", f.Direction)
	}
	return found, faults.Strike{Target: t}, nil
}
