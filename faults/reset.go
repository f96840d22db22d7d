package faults

import "context"

// Reset ends connections by a reset (RST), as a proxy does that is restarted or a firewall that forbids them. Struck one
// way, only who receives that way sees it: the other end keeps a connection that is no more (half-open) until the heal.
type Reset struct{}

// Info implements Fault.
func (Reset) Info() Info {
	return Info{
		Name: "reset", Strikes: AnyHost, Needs: "links",
		Summary: "resets connections, new ones as well while it lasts; one way only the receiver is told, the other end at the heal",
	}
}

// Available implements Fault.
func (r Reset) Available(c Cluster, s Strike) error { return needFlows(r, c, s) }

// Inject implements Fault.
func (r Reset) Inject(_ context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := r.Available(c, s); err != nil {
		return nil, err
	}
	heal, err := c.Links().reset(s.flows(c))
	if err != nil {
		return nil, err
	}
	return healed(heal), nil
}
