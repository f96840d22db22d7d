package faults

import "context"

// Blackhole swallows what is sent, as a firewall does that has lost its state. Senders are told nothing, and what was
// lost never arrives; a partition delivers it late.
type Blackhole struct{}

// Info implements Fault.
func (Blackhole) Info() Info {
	return Info{
		Name: "blackhole", Targets: AnyHost, Traits: []Trait{CutsOff}, Needs: "links",
		Summary: "swallows what is sent; connections that lost a byte are reset at the heal, and none is made before",
	}
}

// Available implements Fault.
func (b Blackhole) Available(c Cluster, in Injection) error { return needLinks(c, in) }

// Inject implements Fault. Connections that lost nothing go on after the heal.
func (b Blackhole) Inject(_ context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := b.Available(c, in); err != nil {
		return nil, err
	}
	heal, err := c.Links().Swallow(in.flows(c)...)
	if err != nil {
		return nil, err
	}
	return healed(heal), nil
}
