package faults

import (
	"context"
	"errors"
	"slices"

	"github.com/lockbench/lockbench/faults/links"
)

// needLinks says why a fault on links cannot be injected.
func needLinks(c Cluster, in Injection) error {
	if err := in.Target.Meaningful(c); err != nil {
		return err
	}
	if c.Links() == nil {
		return errors.New("there are no links: --direct bypasses them")
	}
	if in.Target.cutsPeers(c) {
		return needPeerLinks(c, in)
	}
	return nil
}

// cutsPeers reports whether the fault acts on links between servers. Only servers that elect a leader have such links.
func (t Target) cutsPeers(c Cluster) bool {
	if t.servers(c) == nil || t.Role == AllServers || !c.Topology().Leads() || len(c.Topology()) < 2 {
		return false
	}
	return t.Peers == nil || slices.ContainsFunc(t.Peers, func(r Role) bool { return Target{Role: r}.servers(c) != nil })
}

// slow is the injection of a fault that shapes flows.
func slow(f Fault, c Cluster, in Injection, shape links.Shape) (func(context.Context) error, error) {
	if err := f.Available(c, in); err != nil {
		return nil, err
	}
	heal, err := c.Links().Slow(shape, in.flows(c)...)
	if err != nil {
		return nil, err
	}
	return healed(heal), nil
}

// healed makes the heal of a fault whose undoing cannot fail.
func healed(undo func()) func(context.Context) error {
	return func(context.Context) error { undo(); return nil }
}

// flows lists what crosses the line between the target's side and the other.
func (in Injection) flows(c Cluster) []links.Flow {
	var flows []links.Flow
	for _, host := range in.Hosts {
		others := in.Peers
		if others == nil && slices.Contains(c.Topology().Names(), host) {
			others = slices.Concat(c.Clients(), c.Topology().Names())
		} else if others == nil {
			others = c.Topology().Names()
		}
		for _, other := range others {
			if slices.Contains(in.Hosts, other) || !c.Links().Has(links.Flow{From: host, To: other}) {
				continue
			}
			if in.Target.Direction != In {
				flows = append(flows, links.Flow{From: host, To: other})
			}
			if in.Target.Direction != Out {
				flows = append(flows, links.Flow{From: other, To: host})
			}
		}
	}
	return flows
}
