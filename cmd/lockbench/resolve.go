package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/internal/orchestrator"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

// plan is one run that the command line asks for.
type plan struct {
	scenario scenarios.Scenario
	drivers  []drivers.Driver
	seed     uint64
	// swept is the path of what is swept, and value what this run has there; empty: nothing is.
	swept, value string
	// round says which of several it is; nil: there are no rounds.
	round *results.Round
	// replay is what is to strike; empty: it is drawn.
	replay []orchestrator.TestSchedule
}

// change says which run of a sweep it is; empty: there is no sweep.
func (p plan) change() string {
	if p.swept == "" {
		return ""
	}
	return p.swept + " = " + p.value
}

// label is what the directory's name has beside the scenario's.
func (p plan) label() string {
	if p.round != nil {
		return fmt.Sprintf("round-%d", p.round.N)
	}
	return p.value
}

// first is the place of the driver that this run begins with: another one in each round.
func (p plan) first() int {
	if p.round == nil {
		return 0
	}
	return p.round.N - 1
}

// resolve turns the flags into at least one plan, or says what is wrong with them.
func (f runFlags) resolve(changed func(string) bool) ([]plan, error) {
	if changed("driver") && len(f.drivers) == 0 {
		return nil, fmt.Errorf("--driver names no driver; there are: %s", strings.Join(driverNames(), ", "))
	}
	plans, err := f.resolveOnce(changed)
	switch {
	case err != nil || !changed("rounds"):
		return plans, err
	case f.rounds < 1 || f.rounds > maxRounds:
		return nil, fmt.Errorf("--rounds: %d is not %s", f.rounds, roundsWanted())
	case plans[0].swept != "":
		return nil, errors.New("--rounds and a sweep exclude each other: run the rounds of each value by itself")
	case f.schedule != "":
		return nil, errors.New("--schedule and --rounds exclude each other: a replay strikes the same every time")
	}
	return plans[0].rounds(f.rounds), nil
}

// maxRounds keeps a slip of the finger from running for weeks.
const maxRounds = 1000

// roundsWanted is what --rounds takes.
func roundsWanted() string { return fmt.Sprintf("a number from 1 to %d", maxRounds) }

// resolveOnce makes the plans of one round.
func (f runFlags) resolveOnce(changed func(string) bool) ([]plan, error) {
	if f.schedule != "" {
		return f.replay(changed)
	}
	if f.scenario == "" {
		return nil, fmt.Errorf("--scenario is missing; there are: %s", strings.Join(scenarioNames(), ", "))
	}
	s, err := scenarios.Load(f.scenario)
	if err != nil {
		return nil, err
	}
	if !changed("seed") {
		if f.seed, err = drawSeed(); err != nil {
			return nil, err
		}
	}
	if changed("sweep") {
		sweep, err := scenarios.ParseSweep(f.sweep)
		if err != nil {
			return nil, fmt.Errorf("--sweep: %w", err)
		}
		s.Sweep = &sweep
	}
	if s.Sweep == nil {
		p, err := f.plan(changed, s)
		return []plan{p}, err
	}
	return f.sweepPlans(changed, s)
}

// sweepPlans makes a plan of every value.
func (f runFlags) sweepPlans(changed func(string) bool, s scenarios.Scenario) ([]plan, error) {
	variants, err := s.Variants(*s.Sweep)
	if err != nil && changed("sweep") {
		err = fmt.Errorf("--sweep: %w", err)
	}
	if err != nil {
		return nil, err
	}
	var plans []plan
	for i, v := range variants {
		p, err := f.plan(changed, v)
		p.swept, p.value = s.Sweep.Path, s.Sweep.Values[i]
		if err != nil {
			return nil, fmt.Errorf("%s with %s: %w", s.Name, p.change(), err)
		}
		for _, other := range plans {
			if reflect.DeepEqual(other.scenario, p.scenario) {
				return nil, fmt.Errorf("%s with %s = %s and with %s is the same run: a value is there twice, or a flag overrides it", s.Name, p.swept, other.value, p.value)
			}
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// plan applies the other flags to a scenario.
func (f runFlags) plan(changed func(string) bool, s scenarios.Scenario) (plan, error) {
	if err := orchestrator.CheckDrivers(s, driverNames()); err != nil {
		return plan{}, errors.Join(err, orchestrator.CheckScenario(s, nil))
	}
	wanted := f.drivers
	if len(wanted) == 0 {
		wanted = s.Drivers
	}
	picked, err := pick(wanted)
	if err != nil {
		return plan{}, err
	}
	if len(f.drivers) == 0 {
		picked = withRenewal(picked, s.Workload.Renewal)
	}
	if err := f.apply(changed, &s); err != nil {
		return plan{}, err
	}
	if err := s.Validate(); err != nil {
		return plan{}, err
	}
	errs := []error{orchestrator.CheckScenario(s, picked)}
	for _, d := range picked {
		if ttl := time.Duration(s.Workload.TTL); d.Info.MinTTL > ttl {
			short := &scenarios.Problem{Path: "$.workload.ttl", Text: fmt.Sprintf("%v is below the shortest that %s honours, %v", ttl, d.Info.Name, d.Info.MinTTL)}
			errs = append(errs, s.Locate(errors.Join(short)))
		}
	}
	return plan{scenario: s, drivers: picked, seed: f.seed}, errors.Join(errs...)
}

// withRenewal puts the variants that renew their lease beside the locks that have one, or in their place.
func withRenewal(picked []drivers.Driver, renewal scenarios.Toggle) []drivers.Driver {
	if renewal == "" {
		return picked
	}
	var out []drivers.Driver
	for _, d := range picked {
		renewed, err := pick([]string{d.Info.Name + "+renew"})
		if err != nil { // it has no such variant
			out = append(out, d)
			continue
		}
		for _, renews := range renewal.Values() {
			if renews {
				out = append(out, renewed...)
			} else {
				out = append(out, d)
			}
		}
	}
	return out
}

// replay makes a plan of a saved schedule. What that says cannot be asked for otherwise.
func (f runFlags) replay(changed func(string) bool) ([]plan, error) {
	for _, flag := range []string{
		"scenario", "sweep", "driver", "seed", "clients", "workers", "fencing", "heed-lost", "resource", "ttl", "hold", "rate", "duration",
	} {
		if changed(flag) {
			return nil, fmt.Errorf("--schedule and --%s exclude each other: a schedule says all that strikes what, and under which load", flag)
		}
	}
	s, ds, err := orchestrator.LoadSchedule(f.schedule, all.Drivers())
	if err != nil {
		return nil, fmt.Errorf("--schedule: %w", err)
	}
	return []plan{{scenario: s.Scenario, drivers: ds, seed: s.Seed, replay: s.Tests}}, nil
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
	return binary.LittleEndian.Uint64(b[:]) >> seedShift, nil
}

// seedShift makes seeds short enough for JSON readers that know only doubles.
const seedShift = 11
