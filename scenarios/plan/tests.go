package plan

import (
	"errors"
	"slices"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/topology"
	"github.com/lockbench/lockbench/scenarios"
)

// Tests lists the tests of one driver: every setting of fencing and heeding that the workload asks for.
func Tests(s scenarios.Scenario, d drivers.Driver) []results.Test {
	var tests []results.Test
	for _, fenced := range s.Workload.Fencing.Values() {
		for _, heeding := range s.Workload.Lost.Values() {
			t := results.Test{
				Name:   results.TestName(d.Info.Name, fenced, heeding),
				Driver: d.Info.Name, Fenced: fenced, Heeding: heeding, Status: results.NotRun,
				InTransaction: s.Workload.Resource == scenarios.InTransaction,
				Check: checker.Options{
					StuckAfter: int64(s.Workload.TTL) + int64(s.Require.Allowance), Fenced: fenced, MaxStall: int64(s.Workload.TTL),
					MinGrants: s.Require.Grants, MinAttempts: s.Require.Attempts, Share: s.Liveness.Share, GrantedWithin: grantedWithin(s),
				},
				Expect: expectation(s, d.Info.Name, fenced, heeding),
			}
			if why := pointless(t, d); why != "" {
				t.Status, t.Reason = results.NotApplicable, why
			}
			tests = append(tests, t)
		}
	}
	return tests
}

// grantedWithin is the scenario's bound on liveness, in nanoseconds; 0: it has none.
func grantedWithin(s scenarios.Scenario) int64 {
	if s.Liveness.GrantedWithin == nil {
		return 0
	}
	return int64(s.Liveness.GrantedWithin.Of(time.Duration(s.Workload.TTL)))
}

// pointless says why a test has no meaning for a lock, or nothing if it has.
func pointless(t results.Test, d drivers.Driver) string {
	switch {
	case t.InTransaction && d.Ledger == nil:
		return "the lock does not live in a transaction"
	case t.InTransaction && t.Fenced:
		return "the data lives in the lock's own transaction, which needs no fence"
	case t.Fenced && d.Info.Token == "":
		return "cannot be fenced: the lock has no token"
	}
	return ""
}

func expectation(s scenarios.Scenario, driver string, fenced, heeding bool) *results.Expect {
	for _, e := range s.Expect {
		if (len(e.Drivers) == 0 || slices.Contains(e.Drivers, driver)) &&
			slices.Contains(e.Fencing.Values(), fenced) && slices.Contains(e.Lost.Values(), heeding) {
			return &results.Expect{Exclusion: e.Exclusion, Data: e.Data}
		}
	}
	return nil
}

// Phases decides which of a scenario's phases a test on that cluster has. first: it is the driver's first test, the
// one that runs the phases that run alone. A phase that the scenario limits to other drivers is not one of them.
func Phases(all []scenarios.Phase, c faults.Cluster, ttl time.Duration, first bool) []results.Phase {
	var phases []results.Phase
	for _, p := range all {
		if p.Alone && !first || !concerns(p.Drivers, c) {
			continue
		}
		ph := results.Phase{Name: p.Name, Status: results.NotRun}
		err := phaseApplies(p, c, ttl)
		if never, ok := errors.AsType[*topology.NotApplicableError](err); ok {
			ph.Status, ph.Reason = results.NotApplicable, never.Reason
		} else if err != nil {
			ph.Reason = err.Error()
		}
		phases = append(phases, ph)
	}
	return phases
}

// phaseApplies returns nil, or why a phase has no meaning here or cannot run: one of its faults does not, or, if they
// are drawn, none does.
func phaseApplies(p scenarios.Phase, c faults.Cluster, ttl time.Duration) error {
	var why error
	usable := 0
	for _, f := range p.Faults {
		err := Applies(f, c, ttl)
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
var errNotConcerned = topology.NotApplicable("the fault is not for this lock")

// Applies returns nil, or why a fault cannot be injected here.
func Applies(f scenarios.Fault, c faults.Cluster, ttl time.Duration) error {
	if !concerns(f.Drivers, c) {
		return errNotConcerned
	}
	fault, in, problems := Resolve(f, ttl)
	if len(problems) > 0 {
		return problems[0]
	}
	if err := in.Target.Meaningful(c); err != nil {
		return err
	}
	return fault.Available(c, in)
}

// concerns reports whether a list of drivers, empty: all, has the cluster's.
func concerns(list []string, c faults.Cluster) bool {
	return len(list) == 0 || slices.Contains(list, c.Driver())
}
