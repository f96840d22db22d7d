package faults

import "context"

// Reset ends connections by a reset (RST), as a restarted proxy does, or a firewall that forbids them. If it is
// injected one way, only the receiver of that way sees it. The other end keeps a half-open connection until the heal.
type Reset struct{}

// Info implements Fault.
func (Reset) Info() Info {
	return Info{
		Name: "reset", Targets: AnyHost, Needs: "links",
		Summary: "resets connections, also new ones; injected one way, the sender hears of it only at the heal",
	}
}

// Available implements Fault.
func (r Reset) Available(c Cluster, in Injection) error { return needLinks(c, in) }

// Inject implements Fault.
func (r Reset) Inject(_ context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := r.Available(c, in); err != nil {
		return nil, err
	}
	heal, err := c.Links().Reset(in.flows(c)...)
	if err != nil {
		return nil, err
	}
	return healed(heal), nil
}
