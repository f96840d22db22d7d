package faults

import (
	"context"
	"fmt"

	"github.com/lockbench/lockbench/faults/processes"
	"github.com/lockbench/lockbench/internal/topology"
)

// Amnesia kills servers and starts them again without their data, as a host with a new disk does, or a server that
// had written nothing to it.
type Amnesia struct{}

// Info implements Fault.
func (Amnesia) Info() Info {
	return Info{
		Name: "amnesia", Targets: Servers, Traits: []Trait{Kills, LosesData}, Needs: "servers that can come back empty",
		Summary: "kills the target's servers and starts them again at once without their data; they join the others again",
	}
}

// Available implements Fault.
func (Amnesia) Available(c Cluster, in Injection) error {
	err := eachServer(c, in, func(name string, p processes.Process) error {
		if _, ok := p.(processes.Wiper); !ok {
			return topology.NotApplicable("%s cannot lose its data and come back", name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	nodes := len(c.Topology().Names())
	wiped := 1
	switch in.Target.Role {
	case Majority:
		wiped = nodes/2 + 1
	case AllServers:
		wiped = nodes
	case Minority:
		wiped = (nodes - 1) / 2
	}
	return keepMajority(c, wiped)
}

// keepMajority says why that many servers cannot lose their data at once.
func keepMajority(c Cluster, wiped int) error {
	if nodes := len(c.Topology().Names()); c.Topology().Leads() && wiped > (nodes-1)/2 {
		return topology.NotApplicable("%d of %d servers cannot lose their data: no majority would be left that takes them back", wiped, nodes)
	}
	return nil
}

// Inject implements Fault.
func (Amnesia) Inject(ctx context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := keepMajority(c, len(in.Hosts)); err != nil {
		return nil, err
	}
	heal, err := c.Processes().Down(ctx, in.Hosts, true)
	if err != nil {
		return nil, err
	}
	// What was forgotten stays forgotten: that is what is in force until the heal.
	if err := heal(ctx); err != nil {
		return heal, fmt.Errorf("start again without the data: %w", err)
	}
	return heal, nil
}
