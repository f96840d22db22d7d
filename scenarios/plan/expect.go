package plan

import (
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

// What a run takes beside its phases, as it was measured on a machine with two cores.
const (
	perRun    = time.Second             // links are timed, and the report is written
	perDriver = 800 * time.Millisecond  // round trips are counted, histories are judged
	perTest   = 1300 * time.Millisecond // clients start and stop, and the history is merged
)

// startUp is how long a server takes until it serves, measured likewise.
func startUp(b drivers.Backend) time.Duration {
	switch b {
	case drivers.ZooKeeper:
		return 4500 * time.Millisecond
	case drivers.Postgres:
		return 2 * time.Second
	case drivers.Etcd:
		return 1300 * time.Millisecond
	}
	return 500 * time.Millisecond
}

// Expected estimates how long the run takes: the phases that run alone one driver after another, and the others as
// long as the driver with the most needs, and what it takes beside them.
func (r Run) Expected() time.Duration {
	var alone, longest, slowest time.Duration
	for _, d := range r.Drivers {
		var rest time.Duration
		first := true
		for _, t := range Tests(r.Scenario, d) {
			if t.Status != results.NotRun {
				continue
			}
			rest += perTest
			for _, p := range r.Scenario.Phases {
				switch lasts := r.lasts(p, d); {
				case p.Alone && first:
					alone += lasts
				case !p.Alone:
					rest += lasts
				}
			}
			first = false
		}
		longest, slowest = max(longest, rest), max(slowest, startUp(d.Info.Backend))
	}
	// All servers start at once, and stop at once.
	return perRun + perDriver*time.Duration(len(r.Drivers)) + 3*slowest/2 + alone + longest
}

// lasts is Lasts, and 0 for a phase that has no meaning for the driver.
func (r Run) lasts(p scenarios.Phase, d drivers.Driver) time.Duration {
	seen := outline{driver: d, clients: ClientNames(r.Scenario)}
	if !concerns(p.Drivers, seen) {
		return 0
	}
	if len(p.Faults) > 0 {
		hits := false
		for _, f := range p.Faults {
			_, in, problems := Resolve(f, time.Duration(r.Scenario.Workload.TTL))
			hits = hits || concerns(f.Drivers, seen) && len(problems) == 0 && in.Target.Meaningful(seen) == nil
		}
		if !hits {
			return 0
		}
	}
	return Lasts(r.Scenario, p, d)
}

// Lasts estimates how long a phase lasts: the times that the scenario names and, if it has faults, until servers that
// they killed serve again, and a quarter of a TTL until the locks are granted again. That depends on the lock, and on
// how much the machine has to do.
func Lasts(s scenarios.Scenario, p scenarios.Phase, d drivers.Driver) time.Duration {
	ttl := time.Duration(s.Workload.TTL)
	longest := p.For.Of(ttl)
	if len(p.Faults) == 0 {
		return longest
	}
	var before, after time.Duration
	for _, f := range p.Faults {
		before += f.When.After.Of(ttl)
		if f.For != nil {
			longest = max(longest, f.For.Of(ttl))
		}
		if side, err := faults.SideOf(faults.Role(f.Target)); err == nil && side == faults.Servers && HasTrait(f, faults.Kills) {
			after += startUp(d.Info.Backend)
		}
	}
	if p.Draw > 0 {
		before = before * time.Duration(p.Draw) / time.Duration(len(p.Faults))
		after = after * time.Duration(p.Draw) / time.Duration(len(p.Faults))
	}
	return before + longest + after + ttl/4
}
