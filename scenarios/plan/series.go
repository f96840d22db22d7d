package plan

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/scenarios"
)

// AllScenarios is the name that stands for every shipped scenario.
const AllScenarios = "all"

// Series is several scenarios, one after another.
type Series struct {
	// Name is what was asked for, in the name of its directory.
	Name string
	// Runs are in their order; those of a sweep follow one another.
	Runs []Run
	// Left are the scenarios that have no meaning for the chosen locks.
	Left []Left
}

// Left is a scenario that is left out, and why.
type Left struct{ Scenario, Reason string }

// Expected estimates how long all runs take.
func (s Series) Expected() (d time.Duration) {
	for _, r := range s.Runs {
		d += r.Expected()
	}
	return d
}

// Scenarios counts those that run.
func (s Series) Scenarios() int {
	names := map[string]bool{}
	for _, r := range s.Runs {
		names[r.Scenario.Name] = true
	}
	return len(names)
}

// WantsSeries reports whether --scenario names several: "all", or names and files separated by commas.
func (f Flags) WantsSeries() bool {
	if f.Scenario == AllScenarios {
		return true
	}
	if !strings.Contains(f.Scenario, ",") {
		return false
	}
	_, err := os.Stat(f.Scenario)
	return err != nil // else it is one file with a comma in its name
}

// Series plans the runs of several scenarios. With --driver the chosen locks run those scenarios that are about them.
func (c Catalog) Series(f Flags) (s Series, err error) {
	for _, flag := range []string{"sweep", "rounds"} {
		if f.Changed(flag) {
			return s, fmt.Errorf("--%s and several scenarios exclude each other: run one scenario with it", flag)
		}
	}
	names, err := f.scenarioNames()
	if err != nil {
		return s, err
	}
	if !f.Changed("seed") {
		if f.Seed, err = drawSeed(); err != nil {
			return s, err
		}
	}
	changed := f.Changed
	f.Changed = func(flag string) bool { return flag == "seed" || changed(flag) } // one for all, so that each can be repeated
	s.Name = AllScenarios
	if f.Scenario != AllScenarios {
		s.Name = "series"
	}
	var errs []error
	for _, name := range names {
		runs, why, err := c.ofSeries(f, name)
		switch {
		case err != nil:
			errs = append(errs, err)
		case why != "":
			s.Left = append(s.Left, Left{name, why})
		}
		s.Runs = append(s.Runs, runs...)
	}
	if len(errs) == 0 && len(s.Runs) == 0 {
		errs = append(errs, fmt.Errorf("--driver: no scenario is about %s", strings.Join(f.Drivers, ", ")))
	}
	return s, errors.Join(errs...)
}

// scenarioNames lists the scenarios that --scenario names, the shipped ones in the order of lockbench list.
func (f Flags) scenarioNames() ([]string, error) {
	if f.Scenario == AllScenarios {
		return libraryOrder()
	}
	names := strings.Split(f.Scenario, ",")
	for i, name := range names {
		switch {
		case name == "":
			return nil, errors.New("--scenario: there is a comma too many")
		case name == AllScenarios:
			return nil, fmt.Errorf("--scenario: %s stands alone: it has every shipped scenario", AllScenarios)
		case slices.Contains(names[:i], name):
			return nil, fmt.Errorf("--scenario: %s is there twice", name)
		}
	}
	return names, nil
}

// libraryOrder lists the shipped scenarios in the order of their groups.
func libraryOrder() ([]string, error) {
	all, err := scenarios.All()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, g := range scenarios.Groups() {
		for _, s := range all {
			if s.In(g) {
				names = append(names, s.Name)
			}
		}
	}
	return names, nil
}

// ofSeries plans the runs of one scenario of several. why says that it has no meaning for the chosen locks.
func (c Catalog) ofSeries(f Flags, name string) (runs []Run, why string, err error) {
	s, err := scenarios.Load(name)
	if err != nil {
		return nil, "", fmt.Errorf("--scenario: %w", err)
	}
	if len(f.Drivers) > 0 && len(s.Drivers) > 0 {
		known, err := c.pick(f.Drivers)
		if err != nil {
			return nil, "", fmt.Errorf("--driver: %w", err)
		}
		f.Drivers = nil
		for _, d := range known {
			if slices.ContainsFunc(s.Drivers, func(of string) bool { return lockOf(of) == lockOf(d.Info.Name) }) {
				f.Drivers = append(f.Drivers, d.Info.Name)
			}
		}
		if len(f.Drivers) == 0 {
			return nil, "it is about " + strings.Join(s.Drivers, ", ") + " only", nil
		}
	}
	runs, err = c.of(f, s)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	return runs, "", nil
}

// lockOf is the lock of which a driver is a variant.
func lockOf(driver string) string {
	lock, _, _ := strings.Cut(driver, "+")
	return lock
}

// Names lists the drivers of the run.
func (r Run) Names() []string {
	var names []string
	for _, d := range r.Drivers {
		names = append(names, d.Info.Name)
	}
	return names
}
