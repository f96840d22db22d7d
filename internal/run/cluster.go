package run

import (
	"context"
	"fmt"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/faults/processes"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/run/clients"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/topology"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// live is a driver's running cluster.
type live struct {
	driver  drivers.Driver
	cluster servers.Cluster
	links   *links.Links // nil: direct
}

// addrs are the servers' own addresses, past every link: a fault on the links of clients must not hit the coordinator.
func (l live) addrs() []string {
	var addrs []string
	for _, n := range l.cluster.Nodes() {
		addrs = append(addrs, n.Addr)
	}
	return addrs
}

// options are those of the coordinator's own sessions.
func (l live) options(namespace string) drivers.Options {
	return drivers.Options{Credentials: l.cluster.Credentials(), Namespace: namespace}
}

// hosts are the servers and clients of one test, for faults to act on. They are faults.Hosts.
type hosts struct {
	live
	scenario  scenarios.Scenario
	namespace string
	host      provision.Host
	processes *processes.Processes
	clients   []*clients.Client // that were started so far
}

// Driver implements faults.Hosts, as do the methods below.
func (h *hosts) Driver() string { return h.driver.Info.Name }

func (h *hosts) Topology() topology.Topology { return h.driver.Info.Topology }

func (h *hosts) Clients() []string { return plan.ClientNames(h.scenario) }

func (h *hosts) Links() *links.Links { return h.links }

func (h *hosts) Processes() *processes.Processes { return h.processes }

func (h *hosts) Leader(ctx context.Context) (string, error) { return h.cluster.Leader(ctx) }

func (h *hosts) Clocks() error { return h.host.Clocks() }

// Service is a faults.Terminator if the driver can end the sessions that hold its locks.
func (h *hosts) Service() any {
	if h.driver.TerminateHolders == nil {
		return nil
	}
	return terminator{h}
}

// terminator ends sessions by the servers' own addresses.
type terminator struct{ *hosts }

// TerminateHolders implements faults.Terminator.
func (t terminator) TerminateHolders(ctx context.Context) (int, error) {
	return t.driver.TerminateHolders(ctx, t.addrs(), t.options(t.namespace))
}

// process finds the process of a server or a client.
func (h *hosts) process(host string) (processes.Process, error) {
	for _, c := range h.clients {
		if c.Name() == host {
			return c, nil
		}
	}
	for _, n := range h.cluster.Nodes() {
		if n.Name == host {
			return n.Process, nil
		}
	}
	return nil, fmt.Errorf("there is no host %q", host)
}
