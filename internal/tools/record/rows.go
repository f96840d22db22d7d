package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/checker"
)

// row is what became of one claim about one lock.
type row struct {
	shard, driver, setting, what string
	must                         bool
	tried, found                 []int // seeds
	// unsure are seeds in which nothing was found, and which show too little to call that right.
	unsure []string
}

// rows evaluates every claim on what the store has. A claim holds for a seed if any test that it is about shows it; a
// claim that must find something is evaluated for each setting of heeding apart.
func (s store) rows(all []shard, seeds int) ([]row, error) {
	var rows []row
	for _, sh := range all {
		var outcomes []outcome
		var numbers []int
		for seed := 1; seed <= seeds; seed++ {
			o, ok, err := s.load(sh.name, seed)
			if err != nil {
				return nil, err
			}
			if ok {
				outcomes, numbers = append(outcomes, o), append(numbers, seed)
			}
		}
		for _, c := range sh.claims {
			drivers := c.drivers
			if len(drivers) == 0 {
				drivers = sh.drivers
			}
			for _, d := range drivers {
				for _, heeding := range c.lost.Values() {
					if !slices.Contains(sh.lost.Values(), heeding) {
						continue
					}
					rows = append(rows, c.row(sh, d, heeding, outcomes, numbers))
				}
			}
		}
	}
	return rows, nil
}

func (c claim) row(sh shard, driver string, heeding bool, outcomes []outcome, seeds []int) row {
	r := row{shard: sh.name, driver: driver, what: c.what, must: c.must, setting: "ignoring"}
	if heeding {
		r.setting = "heeding"
	}
	if slices.Equal(c.fencing.Values(), []bool{true}) {
		r.setting = "fenced, " + r.setting
	}
	for i, o := range outcomes {
		ran, found := false, false
		for _, t := range o.Tests {
			if t.Driver != driver || t.Heeding != heeding || !slices.Contains(c.fencing.Values(), t.Fenced) {
				continue
			}
			ran = true
			found = found || c.found(t.Counts)
			if !c.must && !c.found(t.Counts) && t.Data != checker.Valid {
				r.unsure = append(r.unsure, fmt.Sprintf("seed %d: %s", seeds[i], t.Reason))
			}
		}
		if ran {
			r.tried = append(r.tried, seeds[i])
		}
		if found {
			r.found = append(r.found, seeds[i])
		}
	}
	return r
}

// failure says why the row is not as it must be, or nil.
func (r row) failure(seeds int) error {
	switch {
	case len(r.tried) < seeds:
		return fmt.Errorf("%s: only %d of %d seeds were run", r, len(r.tried), seeds)
	case r.must && 10*len(r.found) < 9*seeds:
		return fmt.Errorf("%s: it is no longer found in 9 of 10 seeds", r)
	case !r.must && len(r.found) > 0:
		return fmt.Errorf("%s: it must never be found", r)
	case !r.must && 10*len(r.unsure) > seeds:
		return fmt.Errorf("%s: the runs show too little: %s", r, strings.Join(r.unsure, "; "))
	}
	return nil
}

// String is the row as a line.
func (r row) String() string {
	return fmt.Sprintf("%s, %s, %s: %s in %d of %d seeds%s", r.shard, r.driver, r.setting, r.what, len(r.found), len(r.tried), r.doubt())
}

func (r row) doubt() string {
	if len(r.unsure) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d show too little)", len(r.unsure))
}
