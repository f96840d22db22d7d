package plan

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/internal/topology"
	"github.com/lockbench/lockbench/scenarios"
)

// CheckScenario refuses what cannot be run, by name, before anything starts: unknown faults, targets and settings, and
// a scenario none of whose faults can hit any of the drivers. The error joins scenarios.Problems.
func CheckScenario(s scenarios.Scenario, ds []drivers.Driver) error {
	var errs, pointless []error
	meaningful, clients := false, ClientNames(s)
	for i, p := range s.Phases {
		if p.Holder != "" && p.Holder != scenarios.AnyHolder && !slices.Contains(clients, p.Holder) {
			errs = append(errs, problem(fmt.Sprintf("$.phases[%d].holder", i), "%s", nearest.Unknown("client", p.Holder, clients)))
		}
		for k, f := range p.Faults {
			path := fmt.Sprintf("$.phases[%d].faults[%d]", i, k)
			_, in, problems := Resolve(f, time.Duration(s.Workload.TTL))
			for _, wrong := range problems {
				errs = append(errs, problem(path+wrong.Path, "%s", wrong.Text))
			}
			for _, d := range ds {
				seen := outline{driver: d, clients: clients}
				if len(problems) > 0 || !concerns(p.Drivers, seen) || !concerns(f.Drivers, seen) {
					continue
				}
				err := in.Target.Meaningful(seen)
				if err == nil {
					meaningful = true
					continue
				}
				pointless = append(pointless, problem(path+".target", "%s: %s of the %s: %v", d.Info.Name, f.Name, f.Target, err))
			}
		}
	}
	if !meaningful {
		errs = append(errs, pointless...)
	}
	return s.Locate(errors.Join(errs...))
}

// ClientNames are those of all the clients that a scenario has.
func ClientNames(s scenarios.Scenario) []string {
	names := make([]string, max(s.Workload.Clients, 0))
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i+1)
	}
	return names
}

func problem(path, format string, args ...any) *scenarios.Problem {
	return &scenarios.Problem{Path: path, Text: fmt.Sprintf(format, args...)}
}

// outline is what is known of a cluster before it runs: enough to tell which roles somebody can fill.
type outline struct {
	faults.Cluster // nil: nothing that needs a running one is asked
	driver         drivers.Driver
	clients        []string
}

// Driver implements faults.Cluster.
func (o outline) Driver() string { return o.driver.Info.Name }

// Topology implements faults.Cluster.
func (o outline) Topology() topology.Topology { return o.driver.Info.Topology }

// Clients implements faults.Cluster.
func (o outline) Clients() []string { return o.clients }

// Resolve turns a scenario's fault into a fault and an injection under this TTL. The hosts of the injection are not
// known yet. The paths of problems begin at the fault.
func Resolve(f scenarios.Fault, ttl time.Duration) (faults.Fault, faults.Injection, []*scenarios.Problem) {
	found, err := faults.Find(f.Name)
	if err != nil {
		return nil, faults.Injection{}, []*scenarios.Problem{problem(".name", "%v", err)}
	}
	in := faults.Injection{Target: faults.Target{Role: faults.Role(f.Target), Direction: faults.Direction(f.Direction)}}
	for _, peer := range f.Peers {
		in.Target.Peers = append(in.Target.Peers, faults.Role(peer))
	}
	settings, wrong := found.Info().Resolve(f.Settings, ttl, scenarios.FaultKeys())
	in.Settings = settings
	problems := validate(f, found.Info(), in)
	for _, w := range wrong {
		path := "." + w.Setting
		if w.Setting == "" {
			path = ""
		}
		problems = append(problems, problem(path, "%s", w.Text))
	}
	return found, in, problems
}

// validate lists what is wrong with an injection, except with its settings.
func validate(f scenarios.Fault, info faults.Info, in faults.Injection) (problems []*scenarios.Problem) {
	check := func(ok bool, path, format string, args ...any) {
		if !ok {
			problems = append(problems, problem(path, format, args...))
		}
	}
	side, err := faults.SideOf(in.Target.Role)
	check(err == nil, ".target", "%v", err)
	check(err != nil || info.Targets == faults.AnyHost || info.Targets == side, ".target",
		"the target of %s must be %s, and %q is one of the %s", f.Name, info.Targets, f.Target, side)
	for i, peer := range in.Target.Peers {
		_, err := faults.SideOf(peer)
		check(err == nil || peer == faults.Resource, fmt.Sprintf(".peers[%d]", i), "%v", err)
	}
	directions := []string{string(faults.Both), string(faults.In), string(faults.Out)}
	check(f.Direction == "" || slices.Contains(directions, f.Direction), ".direction", "%s", nearest.Unknown("direction", f.Direction, directions))
	stops := in.Settings.Choice(faults.PointSetting) != ""
	check(!stops || f.Target == string(faults.Holder), "."+faults.PointSetting, "only the holder can stop itself at a point")
	check(!stops || !f.HolderGoesOn, ".holder-goes-on", "a holder that stops itself goes on when it is healed")
	return problems
}

// HasTrait reports whether a scenario's fault has the trait.
func HasTrait(f scenarios.Fault, t faults.Trait) bool {
	found, err := faults.Find(f.Name)
	return err == nil && found.Info().Has(t)
}
