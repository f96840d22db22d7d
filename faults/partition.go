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

// Info implements Fault.
func (Partition) Info() Info {
	return Info{
		Name: "partition", Strikes: AnyHost, Needs: "links",
		Summary: "cuts the target from its servers or clients and peers; what was held back arrives late",
	}
}

// Available implements Fault.
func (Partition) Available(c Cluster, s Strike) error { return needLinks(c, s) }

// Inject implements Fault.
func (p Partition) Inject(_ context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := p.Available(c, s); err != nil {
		return nil, err
	}
	heal, err := c.Links().Cut(s.flows(c)...)
	if err != nil {
		return nil, err
	}
	return healed(heal), nil
}

// healed makes the heal of a fault whose undoing cannot fail.
func healed(undo func()) func(context.Context) error {
	return func(context.Context) error { undo(); return nil }
}

// needLinks says why a fault on links cannot strike.
func needLinks(c Cluster, s Strike) error {
	if err := s.Target.Meaningful(c); err != nil {
		return err
	}
	if c.Links() == nil {
		return errors.New("there is no link to strike: --direct bypasses them")
	}
	return nil
}

// flows lists what crosses the line between the target's side and the other.
func (s Strike) flows(c Cluster) []Flow {
	var flows []Flow
	for _, host := range s.Hosts {
		others := s.Peers
		if others == nil && slices.Contains(c.Nodes(), host) {
			others = slices.Concat(c.Clients(), c.Nodes())
		} else if others == nil {
			others = c.Nodes()
		}
		for _, other := range others {
			if slices.Contains(s.Hosts, other) || !c.Links().has(Flow{host, other}) {
				continue
			}
			if s.Target.Direction != In {
				flows = append(flows, Flow{host, other})
			}
			if s.Target.Direction != Out {
				flows = append(flows, Flow{other, host})
			}
		}
	}
	return flows
}
