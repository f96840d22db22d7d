package faults

import "context"

// Blackhole swallows what is sent, as a firewall does that lost its state: senders are told nothing, and what was lost never
// comes. A partition delivers it late.
type Blackhole struct{}

// Info implements Fault.
func (Blackhole) Info() Info {
	return Info{
		Name: "blackhole", Strikes: AnyHost, Needs: "links",
		Summary: "swallows what is sent; connections that lost a byte are reset at the heal, and none is made before",
	}
}

// Available implements Fault.
func (b Blackhole) Available(c Cluster, s Strike) error { return needFlows(b, c, s) }

// Inject implements Fault. Connections that lost nothing go on after the heal.
func (b Blackhole) Inject(_ context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := b.Available(c, s); err != nil {
		return nil, err
	}
	fill, err := c.Links().swallow(s.flows(c))
	if err != nil {
		return nil, err
	}
	return healed(fill), nil
}
