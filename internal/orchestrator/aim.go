package orchestrator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/scenarios"
)

// CheckScenario refuses what cannot be run, by name, before anything starts: unknown faults, targets and settings, and
// a scenario none of whose faults can strike any of the drivers. The error joins scenarios.Problems.
func CheckScenario(s scenarios.Scenario, ds []drivers.Driver) error {
	var errs, pointless []error
	meaningful, clients := false, clientNames(s)
	for i, p := range s.Phases {
		if p.Holder != "" && p.Holder != scenarios.AnyHolder && !slices.Contains(clients, p.Holder) {
			errs = append(errs, problem(fmt.Sprintf("$.phases[%d].holder", i), "%s", nearest.Unknown("client", p.Holder, clients)))
		}
		for k, f := range p.Faults {
			path := fmt.Sprintf("$.phases[%d].faults[%d]", i, k)
			_, strike, problems := aim(f, time.Duration(s.Workload.TTL))
			for _, wrong := range problems {
				errs = append(errs, problem(path+wrong.Path, "%s", wrong.Text))
			}
			for _, d := range ds {
				seen := outline{driver: d, clients: clients}
				if len(problems) > 0 || !concerns(p.Drivers, seen) || !concerns(f.Drivers, seen) {
					continue
				}
				err := strike.Target.Meaningful(seen)
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

// CheckDrivers refuses names of drivers, wherever the scenario has them, that are none of those that there are. The
// error joins scenarios.Problems.
func CheckDrivers(s scenarios.Scenario, known []string) error {
	var errs []error
	check := func(path string, names []string) {
		for i, name := range names {
			if !slices.Contains(known, name) {
				errs = append(errs, problem(fmt.Sprintf("%s.drivers[%d]", path, i), "%s", nearest.Unknown("driver", name, known)))
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

// clientNames are those of all the clients that a scenario has.
func clientNames(s scenarios.Scenario) []string {
	names := make([]string, max(s.Workload.Clients, 0))
	for i := range names {
		names[i] = clientName(i)
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

// Nodes implements faults.Cluster.
func (o outline) Nodes() []string {
	names := make([]string, o.driver.Info.Nodes)
	for i := range names {
		names[i] = cluster.NodeName(i)
	}
	return names
}

// Clients implements faults.Cluster.
func (o outline) Clients() []string { return o.clients }

// Leads implements faults.Cluster.
func (o outline) Leads() bool { return o.driver.Info.Backend.Leads() }

// aim turns a scenario's fault into a fault and a strike whose hosts are not known yet, under this TTL. The paths of problems begin at the
// fault.
func aim(f scenarios.Fault, ttl time.Duration) (faults.Fault, faults.Strike, []*scenarios.Problem) {
	found, err := faults.Find(f.Name)
	if err != nil {
		return nil, faults.Strike{}, []*scenarios.Problem{problem(".name", "%v", err)}
	}
	s := faults.Strike{
		Target: faults.Target{Role: faults.Role(f.Target), Direction: faults.Direction(f.Direction)},
		Params: faults.Params{
			Delay: time.Duration(f.Delay), Jitter: time.Duration(f.Jitter), Rate: f.Rate, Size: f.Size, Gap: time.Duration(f.Gap),
			Up: time.Duration(f.Up), Down: time.Duration(f.Down), DeadPeer: time.Duration(f.DeadPeer), Point: f.Point, PPM: f.PPM,
		},
	}
	if f.Offset != nil {
		offset := f.Offset.Of(ttl)
		s.Params.Offset = &offset
	}
	for _, peer := range f.Peers {
		s.Target.Peers = append(s.Target.Peers, faults.Role(peer))
	}
	return found, s, misaimed(f, found.Info(), s)
}

// misaimed lists what is wrong with a strike at its fault.
func misaimed(f scenarios.Fault, info faults.Info, s faults.Strike) (problems []*scenarios.Problem) {
	check := func(ok bool, path, format string, args ...any) {
		if !ok {
			problems = append(problems, problem(path, format, args...))
		}
	}
	side, err := s.Target.Role.Side()
	check(err == nil, ".target", "%v", err)
	check(err != nil || info.Strikes == faults.AnyHost || info.Strikes == side, ".target",
		"%s strikes %s, and %q is one of the %s", f.Name, info.Strikes, f.Target, side)
	for i, peer := range s.Target.Peers {
		_, err := peer.Side()
		check(err == nil || peer == faults.Resource, fmt.Sprintf(".peers[%d]", i), "%v", err)
	}
	for _, m := range info.Check(s.Params) {
		path := "." + m.Param
		if m.Missing {
			path = ""
		}
		check(false, path, "%s", m.Text)
	}
	directions := []string{string(faults.Both), string(faults.In), string(faults.Out)}
	check(f.Direction == "" || slices.Contains(directions, f.Direction), ".direction", "%s", nearest.Unknown("direction", f.Direction, directions))
	check(f.Point == "" || f.Target == string(faults.Holder) && (f.Point == faults.AfterGrant || f.Point == faults.BeforeWrite), ".point",
		"%q: the holder can be stopped %s or %s, and nobody else", f.Point, faults.AfterGrant, faults.BeforeWrite)
	check(!f.HolderGoesOn || f.Point == "", ".holder-goes-on", "a holder that stops itself goes on when it is healed")
	return problems
}
