// Package zookeeper locks with ZooKeeper's recipe
// (https://zookeeper.apache.org/doc/current/recipes.html#sc_recipes_Locks): an ephemeral sequential node for each
// that waits, of which the lowest holds the lock and every other watches the one before it. The fencing token is the
// czxid of the holder's node: the number of the transaction that made it.
package zookeeper

import (
	"context"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/topology"
)

// Drivers lists the lock; it has no variants.
func Drivers() []drivers.Driver {
	return []drivers.Driver{{
		Info: drivers.Info{
			Name: "zookeeper", Title: "ZooKeeper",
			Summary: "ephemeral sequential nodes; each waits for the one before it",
			Backend: drivers.ZooKeeper, Topology: topology.Of(topology.Voter, 3), Token: "czxid of the lock's node",
			Lease: true, LossBy: drivers.LossByLibrary, Renewed: true, LostOnDisconnect: true,
			Scope: drivers.ScopeSession,
			// Servers accept no session shorter than two of their ticks. Their shortest tick here is 250 ms.
			MinTTL: 500 * time.Millisecond,
			// Create the node, list all nodes, and ask for the own one's czxid, which Create does not return.
			RoundTrips: 3,
		},
		Open: func(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
			l, err := open(ctx, addrs, opt)
			if err != nil {
				return nil, err
			}
			return l, nil
		},
	}}
}
