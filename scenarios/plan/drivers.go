package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/scenarios"
)

func (c Catalog) names() []string {
	var names []string
	for _, d := range c.Drivers {
		names = append(names, d.Info.Name)
	}
	return names
}

func (c Catalog) find(name string) (drivers.Driver, bool) {
	i := slices.IndexFunc(c.Drivers, func(d drivers.Driver) bool { return d.Info.Name == name })
	if i < 0 {
		return drivers.Driver{}, false
	}
	return c.Drivers[i], true
}

// pick finds the drivers by name, each once. If none is named, it picks all that are no variants.
func (c Catalog) pick(wanted []string) ([]drivers.Driver, error) {
	var picked []drivers.Driver
	if len(wanted) == 0 {
		for _, d := range c.Drivers {
			if d.Info.Variant() == "" {
				picked = append(picked, d)
			}
		}
		return picked, nil
	}
	for i, name := range wanted {
		if slices.Contains(wanted[:i], name) {
			continue
		}
		d, ok := c.find(name)
		if !ok {
			return nil, errors.New(nearest.Unknown("driver", name, c.names()))
		}
		picked = append(picked, d)
	}
	return picked, nil
}

// withRenewal puts the variants that renew their lease beside the locks that have one, or in their place.
func (c Catalog) withRenewal(picked []drivers.Driver, renewal scenarios.Toggle) []drivers.Driver {
	if renewal == "" {
		return picked
	}
	var out []drivers.Driver
	for _, d := range picked {
		renewed, ok := c.find(d.Info.Name + "+renew")
		if !ok {
			out = append(out, d)
			continue
		}
		for _, renews := range renewal.Values() {
			if renews {
				out = append(out, renewed)
			} else {
				out = append(out, d)
			}
		}
	}
	return out
}

// checkNames refuses names of drivers, wherever the scenario has them, that are not known. The error joins
// scenarios.Problems.
func checkNames(s scenarios.Scenario, known []string) error {
	var errs []error
	check := func(path string, names []string) {
		for i, name := range names {
			if !slices.Contains(known, name) {
				errs = append(errs, &scenarios.Problem{Path: fmt.Sprintf("%s.drivers[%d]", path, i), Text: nearest.Unknown("driver", name, known)})
			}
		}
	}
	check("$", s.Drivers)
	for i, p := range s.Phases {
		path := fmt.Sprintf("$.phases[%d]", i)
		check(path, p.Drivers)
		for k, f := range p.Faults {
			check(fmt.Sprintf("%s.faults[%d]", path, k), f.Drivers)
		}
	}
	for i, e := range s.Expect {
		check(fmt.Sprintf("$.expect[%d]", i), e.Drivers)
	}
	return s.Locate(errors.Join(errs...))
}
