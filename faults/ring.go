package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/internal/topology"
)

// Ring cuts links between servers so that each still sees a majority of them, and no two see the same one. The
// servers form a ring, in which each sees as many neighbours on either side as a majority needs. Of 5 servers each
// sees the 2 beside it. Of 4 the opposite ones are cut. Of 3 each would see all, so one pair is cut, and the third
// server sees both. If there is a leader, it is one of the pair: a cut between two followers would change nothing, as
// they do not talk to each other. Clients reach every server as before.
type Ring struct{}

// Info implements Fault.
func (Ring) Info() Info {
	return Info{
		Name: "ring", Targets: Servers, Needs: "links between at least 3 servers",
		Summary: "cuts servers from each other so that each sees a majority, and no two see the same; target: all",
	}
}

// Available implements Fault.
func (r Ring) Available(c Cluster, in Injection) error {
	if err := needLinks(c, in); err != nil {
		return err
	}
	if err := needPeerLinks(c, in); err != nil {
		return err
	}
	nodes := c.Topology().Names()
	switch both := in.Target.Direction == "" || in.Target.Direction == Both; {
	case in.Target.Role != AllServers || !both || in.Target.Peers != nil:
		return fmt.Errorf("a ring is of all servers and both directions: its target is %q, without peers", AllServers)
	case len(nodes) < 3:
		return topology.NotApplicable("a ring of majorities takes 3 servers, and there are %d", len(nodes))
	case !c.Links().Has(links.Flow{From: nodes[0], To: nodes[1]}):
		return topology.NotApplicable("these servers do not talk to each other")
	}
	return nil
}

// Inject implements Fault. The order of the ring is drawn.
func (r Ring) Inject(ctx context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := r.Available(c, in); err != nil {
		return nil, err
	}
	order := slices.Clone(c.Topology().Names())
	in.Rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
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
func ringCuts(order []string) (flows []links.Flow) {
	n := len(order)
	reach := (n/2 + 1) / 2 // on either side; with the server itself at least a majority
	for i, a := range order {
		for j, b := range order[:i] {
			if apart := min(i-j, n-i+j); apart > reach || n == 3 && i+j == 1 {
				flows = append(flows, links.Flow{From: a, To: b}, links.Flow{From: b, To: a})
			}
		}
	}
	return flows
}
