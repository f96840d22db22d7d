package orchestrator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
				InTransaction: s.Workload.Resource == scenarios.InTransaction,
				Check: checker.Options{
					StuckAfter: int64(s.Workload.TTL) + int64(s.Require.Allowance), Fenced: fencing,
					MinGrants: s.Require.Grants, MinAttempts: s.Require.Attempts,
				},
				Expect: expectation(s, d.Info.Name, fencing, heed),
			}
			if why := pointless(t, d); why != "" {
				t.Status, t.Reason = results.NotApplicable, why
			}
			tests = append(tests, t)
		}
	}
	return tests
}

// pointless says why a test has no meaning for a lock, or nothing if it has.
func pointless(t results.Test, d drivers.Driver) string {
	switch {
	case t.InTransaction && d.Ledger == nil:
		return "the lock does not live in a transaction"
	case t.InTransaction && t.Fencing:
		return "the data lives in the lock's own transaction, which needs no fence"
	case t.Fencing && d.Info.Token == "":
		return "cannot be fenced: the lock has no token"
	}
	return ""
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

// planPhases decides which phases a test has. first: it is the driver's first test, the one that runs the phases that
// run alone. A phase that the scenario limits to other drivers is not one of them.
func (r *run) planPhases(t *test, first bool) []results.Phase {
	var phases []results.Phase
	for _, p := range r.scenario.Phases {
		if p.Alone && !first || !concerns(p.Drivers, t) {
			continue
		}
		ph := results.Phase{Name: p.Name, Status: results.NotRun, Latency: p.Latency, Contended: p.Contended(r.scenario.Workload), Fault: describeFaults(p.Faults)}
		switch err := phaseApplies(p, t, t.ttl()); {
		case errors.Is(err, faults.ErrNoMeaning):
			ph.Status, ph.Reason = results.NotApplicable, strings.TrimPrefix(err.Error(), faults.ErrNoMeaning.Error()+": ")
		case err != nil:
			ph.Reason = err.Error()
		}
		phases = append(phases, ph)
	}
	return phases
}

func describeFaults(all []scenarios.Fault) string {
	var texts []string
	for _, f := range all {
		texts = append(texts, f.Name+" "+f.Target)
	}
	return strings.Join(texts, ", ")
}

// phaseApplies returns nil, or why a phase has no meaning here or cannot run: one of its faults does not, or, if they
// are drawn, none does.
func phaseApplies(p scenarios.Phase, c faults.Cluster, ttl time.Duration) error {
	var why error
	usable := 0
	for _, f := range p.Faults {
		err := applies(f, c, ttl)
		if err == nil {
			usable++
		} else if why = err; p.Draw == 0 && !errors.Is(err, errNotConcerned) {
			return err
		}
	}
	if len(p.Faults) > 0 && usable == 0 {
		return why
	}
	return nil
}

// errNotConcerned marks a fault that the scenario limits to other drivers.
var errNotConcerned = fmt.Errorf("%w: the fault is not for this lock", faults.ErrNoMeaning)

// applies returns nil, or why a fault does not strike here.
func applies(f scenarios.Fault, c faults.Cluster, ttl time.Duration) error {
	if !concerns(f.Drivers, c) {
		return errNotConcerned
	}
	fault, strike, problems := aim(f, ttl)
	if len(problems) > 0 {
		return problems[0]
	}
	if err := strike.Target.Meaningful(c); err != nil {
		return err
	}
	return fault.Available(c, strike)
}

// concerns reports whether a list of drivers, empty: all, has the cluster's.
func concerns(list []string, c faults.Cluster) bool {
	return len(list) == 0 || slices.Contains(list, c.Driver())
}
