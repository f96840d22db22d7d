package faults

import (
	"context"
	"fmt"
)

// Amnesia kills servers and starts them again without their data, as a host with a new disk does, or a server that
// had written nothing to it.
type Amnesia struct{}

// Info implements Fault.
func (Amnesia) Info() Info {
	return Info{
		Name: "amnesia", Strikes: Servers, Needs: "servers that can come back empty",
		Summary: "kills the target's servers and starts them again at once without their data; they join the others again",
	}
}

// Available implements Fault.
func (Amnesia) Available(c Cluster, s Strike) error {
	err := eachServer(c, s, func(name string, p Process) error {
		if _, ok := p.(Wiper); !ok {
			return fmt.Errorf("%w: %s cannot lose its data and come back", ErrNoMeaning, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	nodes := len(c.Nodes())
	wiped := 1
	switch s.Target.Role {
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
	if nodes := len(c.Nodes()); c.Leads() && wiped > (nodes-1)/2 {
		return fmt.Errorf("%w: %d of %d servers cannot lose their data: no majority would be left that takes them back",
			ErrNoMeaning, wiped, nodes)
	}
	return nil
}

// Inject implements Fault.
func (Amnesia) Inject(ctx context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := keepMajority(c, len(s.Hosts)); err != nil {
		return nil, err
	}
	heal, err := c.Processes().Down(ctx, s.Hosts, true)
	if err != nil {
		return nil, err
	}
	// What was forgotten stays forgotten: that is what is in force until the heal.
	if err := heal(ctx); err != nil {
		return heal, fmt.Errorf("start again without the data: %w", err)
	}
	return heal, nil
}
