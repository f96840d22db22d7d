package orchestrator

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/scenarios"
)

// LoadSchedule reads the schedule that a run has saved, and finds its drivers among the known ones. The error is one
// line: it says what does not fit, and where.
func LoadSchedule(file string, known []drivers.Driver) (Schedule, []drivers.Driver, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return Schedule{}, nil, fmt.Errorf("read the schedule: %w", err)
	}
	var s Schedule
	if err := scenarios.Unmarshal(file, b, &s); err != nil {
		return s, nil, firstOf(err)
	}
	ds, err := s.fit(known)
	if err != nil {
		return s, nil, fmt.Errorf("%s is not the schedule of a run: %w", file, firstOf(err))
	}
	return s, ds, nil
}

// firstOf is the first of joined errors.
func firstOf(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()[0]
	}
	return err
}

// fit checks that the schedule's steps can strike in its scenario, and returns its drivers.
func (s *Schedule) fit(known []drivers.Driver) ([]drivers.Driver, error) {
	if err := s.Scenario.Validate(); err != nil {
		return nil, fmt.Errorf("its scenario: %w", firstOf(err))
	}
	if len(s.Tests) == 0 {
		return nil, errors.New("it has no tests: its run ended before the first")
	}
	var picked []drivers.Driver
	for _, t := range s.Tests {
		i := slices.IndexFunc(known, func(d drivers.Driver) bool { return s.runs(d, t.Test) })
		if i < 0 {
			return nil, fmt.Errorf("test %q is none of any driver under its scenario", t.Test)
		}
		d := known[i]
		if !slices.ContainsFunc(picked, func(p drivers.Driver) bool { return p.Info.Name == d.Info.Name }) {
			picked = append(picked, d)
		}
		for k, step := range t.Steps {
			if err := s.fits(step, d); err != nil {
				return nil, fmt.Errorf("step %d of test %s: %w", k+1, t.Test, err)
			}
		}
	}
	return picked, CheckScenario(s.Scenario, picked)
}

// runs reports whether the driver's tests under the scenario have one of that name.
func (s *Schedule) runs(d drivers.Driver, test string) bool {
	for _, t := range planTests(s.Scenario, d) {
		if t.Name == test {
			return true
		}
	}
	return false
}

// fits checks one step of a driver's test.
func (s *Schedule) fits(step Step, d drivers.Driver) error {
	i := slices.IndexFunc(s.Scenario.Phases, func(p scenarios.Phase) bool { return p.Name == step.Phase })
	if i < 0 {
		return fmt.Errorf("its scenario has no phase %q", step.Phase)
	}
	p := s.Scenario.Phases[i]
	if step.Index < 0 || step.Index >= len(p.Faults) {
		return fmt.Errorf("phase %s has %d faults, and no index %d", p.Name, len(p.Faults), step.Index)
	}
	if f := p.Faults[step.Index]; f.Name != step.Fault || f.Target != step.Target {
		return fmt.Errorf("fault %d of phase %s is %s of the %s, and not %s of the %s", step.Index, p.Name, f.Name, f.Target, step.Fault, step.Target)
	}
	clients := clientNames(s.Scenario)
	hosts := slices.Concat(outline{driver: d}.Nodes(), clients)
	if len(step.Hosts) == 0 {
		return errors.New("it has no hosts")
	}
	for _, host := range step.Hosts {
		if !slices.Contains(hosts, host) {
			return fmt.Errorf("unknown host %q; there are: %s", host, strings.Join(hosts, ", "))
		}
	}
	for _, peer := range step.Peers {
		if peer != string(faults.Resource) && !slices.Contains(hosts, peer) {
			return fmt.Errorf("unknown peer %q; there are: %s, %s", peer, strings.Join(hosts, ", "), faults.Resource)
		}
	}
	if step.Holder != "" && !slices.Contains(clients, step.Holder) {
		return fmt.Errorf("unknown holder %q; there are: %s", step.Holder, strings.Join(clients, ", "))
	}
	return nil
}
