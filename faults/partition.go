package faults

import (
	"context"
	"errors"
	"slices"
)

// Partition cuts the target off: a client from every server (not from the resource: what it does there is what
// the lock must prevent), servers from the clients and from the servers that are not targets. Packets are held,
// not dropped, and delivered late when the partition heals, as TCP does across a cut cable.
type Partition struct{}

// Name implements Fault.
func (Partition) Name() string { return "partition" }

// Summary implements Fault.
func (Partition) Summary() string {
	return "cuts the target from its servers or clients and peers, one way or both; what was held back arrives late"
}

// Available implements Fault.
func (Partition) Available(c Cluster, t Target) error {
	if err := t.Meaningful(c); err != nil {
		return err
	}
	if c.Links() == nil {
		return errors.New("there is no link to cut: --direct bypasses them")
	}
	return nil
}

// Inject implements Fault.
func (p Partition) Inject(_ context.Context, c Cluster, t Target, hosts []string) (func(context.Context) error, error) {
	if err := p.Available(c, t); err != nil {
		return nil, err
	}
	heal, err := c.Links().Cut(p.flows(c, t, hosts)...)
	if err != nil {
		return nil, err
	}
	return func(context.Context) error { heal(); return nil }, nil
}

// flows lists what crosses the line between the target's side and the other.
func (Partition) flows(c Cluster, t Target, hosts []string) []Flow {
	others := c.Nodes()
	if slices.Contains(c.Nodes(), hosts[0]) {
		others = slices.Concat(c.Clients(), c.Nodes())
	}
	var flows []Flow
	for _, host := range hosts {
		for _, other := range others {
			if slices.Contains(hosts, other) || !c.Links().has(Flow{host, other}) {
				continue
			}
			if t.Direction != In {
				flows = append(flows, Flow{host, other})
			}
			if t.Direction != Out {
				flows = append(flows, Flow{other, host})
			}
		}
	}
	return flows
}
