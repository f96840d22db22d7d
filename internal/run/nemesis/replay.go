package nemesis

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/disk"
	"github.com/lockbench/lockbench/internal/plainyaml"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// maxSchedule is the size in bytes of the largest schedule that is read: about 16000 steps.
const maxSchedule = 4 << 20

// LoadSchedule reads the schedule that a run has saved, and finds its drivers among the known ones. The error is one
// line: it says what does not fit, and where.
func LoadSchedule(file string, known []drivers.Driver) (Schedule, []drivers.Driver, error) {
	b, err := disk.Read(file, maxSchedule)
	if err != nil {
		return Schedule{}, nil, fmt.Errorf("read the schedule: %w", err)
	}
	s, err := readSchedule(file, b)
	if err != nil {
		return s, nil, firstOf(err)
	}
	ds, err := s.fit(known)
	if err != nil {
		return s, nil, fmt.Errorf("%s is not the schedule of a run: %w", file, firstOf(err))
	}
	return s, ds, nil
}

// readSchedule reads a schedule of any format.
func readSchedule(file string, b []byte) (s Schedule, err error) {
	var head struct{ Format int }
	doc, err := plainyaml.Parse(b)
	if err == nil {
		err = yaml.NodeToValue(doc.Docs[0].Body, &head)
	}
	if err == nil && head.Format == 0 && bytes.Contains(b, []byte("scenario:")) {
		return readFormat1(file, b)
	}
	words := today
	if head.Format != wordyFormat {
		words = func(ast.Node) {}
	}
	if err := scenarios.UnmarshalOld(file, b, words, &s); err != nil {
		return s, err
	}
	switch s.Format {
	case scheduleFormat:
		return s, nil
	case wordyFormat:
		return s.fromFormat2(), nil
	}
	return s, fmt.Errorf("%s has format %d; this lockbench reads formats 1 to %d", file, s.Format, scheduleFormat)
}

// WithSteps returns the scenario with those faults of a schedule's steps that it does not have itself, each in its
// phase.
func WithSteps(s scenarios.Scenario, tests []TestSchedule) scenarios.Scenario {
	s.Phases = slices.Clone(s.Phases)
	for i := range s.Phases {
		p := &s.Phases[i]
		p.Faults = slices.Clone(p.Faults)
		for _, t := range tests {
			for _, step := range t.Steps {
				same := func(f scenarios.Fault) bool { return reflect.DeepEqual(f, step.Fault) }
				if step.Phase == p.Name && !slices.ContainsFunc(p.Faults, same) {
					p.Faults = append(p.Faults, step.Fault)
				}
			}
		}
	}
	return s
}

// firstOf is the first of joined errors.
func firstOf(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()[0]
	}
	return err
}

// fit checks that the schedule's steps can be injected in its scenario, and returns its drivers.
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
	return picked, plan.CheckScenario(s.Scenario, picked)
}

// runs reports whether the driver's tests under the scenario have one of that name.
func (s *Schedule) runs(d drivers.Driver, test string) bool {
	for _, t := range plan.Tests(s.Scenario, d) {
		if t.Name == test {
			return true
		}
	}
	return false
}

// fits checks one step of a driver's test.
func (s *Schedule) fits(step Step, d drivers.Driver) error {
	if !slices.ContainsFunc(s.Scenario.Phases, func(p scenarios.Phase) bool { return p.Name == step.Phase }) {
		return fmt.Errorf("its scenario has no phase %q", step.Phase)
	}
	if _, _, problems := plan.Resolve(step.Fault, time.Duration(s.Scenario.Workload.TTL)); len(problems) > 0 {
		return fmt.Errorf("its fault%s: %s", problems[0].Path, problems[0].Text)
	}
	clients := plan.ClientNames(s.Scenario)
	hosts := slices.Concat(d.Info.Topology.Names(), clients)
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
