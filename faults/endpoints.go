package faults

import (
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/internal/topology"
)

// needProcess says why the target has no process to act on.
func needProcess(c Cluster, in Injection) error { return reachable(c, in.Target, "process") }

// needPeerLinks says why there are no links between servers to act on.
func needPeerLinks(c Cluster, in Injection) error { return reachable(c, in.Target, "peer link") }

// reachable returns an error if the target can be a server of which only the address is known. what names the part that
// the fault acts on. Such servers have none.
func reachable(c Cluster, t Target, what string) error {
	if err := t.Meaningful(c); err != nil {
		return err
	}
	for _, n := range t.servers(c) {
		if n.Endpoint {
			return fmt.Errorf("only the address of %s is known: there is no %s to act on", n.Name, what)
		}
	}
	return nil
}

// servers are the servers that the target can be: all of them, unless it names one. A target of clients can be none.
func (t Target) servers(c Cluster) topology.Topology {
	if side, err := SideOf(t.Role); err != nil || side != Servers {
		return nil
	}
	nodes := c.Topology()
	if i := slices.Index(nodes.Names(), string(t.Role)); i >= 0 {
		return nodes[i : i+1]
	}
	return nodes
}
