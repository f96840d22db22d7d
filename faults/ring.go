package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Ring cuts links between servers so that each still sees a majority of them, and no two see the same one: a ring, in
// which every server sees so many neighbours on either side as a majority takes. Of 5 each sees the 2 beside it. Of 3 each would
// see all: there one pair is cut, and the third server sees both. The leader is one of the pair, where there is one, for
// two followers have nothing to say to each other: one of them loses the leader, which keeps its majority. Of 4 the
// opposite ones are cut. Clients reach every server as before.
type Ring struct{}

// Info implements Fault.
func (Ring) Info() Info {
	return Info{
		Name: "ring", Strikes: Servers, Needs: "links between at least 3 servers",
		Summary: "cuts servers from each other so that each sees a majority, and no two see the same; target: all",
	}
}

// Available implements Fault.
func (r Ring) Available(c Cluster, s Strike) error {
	if err := needFlows(r, c, s); err != nil {
		return err
	}
	nodes := c.Nodes()
	switch both := s.Target.Direction == "" || s.Target.Direction == Both; {
	case s.Target.Role != AllServers || !both || s.Target.Peers != nil:
		return fmt.Errorf("a ring is of all servers and both directions: its target is %q, without peers", AllServers)
	case len(nodes) < 3:
		return fmt.Errorf("%w: a ring of majorities takes 3 servers, and there are %d", ErrNoMeaning, len(nodes))
	case !c.Links().has(Flow{nodes[0], nodes[1]}):
		return fmt.Errorf("%w: these servers do not talk to each other", ErrNoMeaning)
	}
	return nil
}

// Inject implements Fault. The order of the ring is drawn.
func (r Ring) Inject(ctx context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := r.Available(c, s); err != nil {
		return nil, err
	}
	order := slices.Clone(c.Nodes())
	s.Rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	leader, err := c.Leader(ctx)
	switch {
	case errors.Is(err, ErrNoMeaning): // equals: any will do
	case err != nil:
		return nil, fmt.Errorf("find the leader: %w", err)
	default:
		i := slices.Index(order, leader)
		order[0], order[i] = order[i], order[0]
	}
	heal, err := c.Links().Cut(ringCuts(order)...)
	if err != nil {
		return nil, err
	}
	return healed(heal), nil
}

// ringCuts lists the flows between servers that are too far from each other in the ring.
func ringCuts(order []string) (flows []Flow) {
	n := len(order)
	reach := (n/2 + 1) / 2 // on either side; with the server itself at least a majority
	for i, a := range order {
		for j, b := range order[:i] {
			if apart := min(i-j, n-i+j); apart > reach || n == 3 && i+j == 1 {
				flows = append(flows, Flow{a, b}, Flow{b, a})
			}
		}
	}
	return flows
}
