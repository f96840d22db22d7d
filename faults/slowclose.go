package faults

import "context"

// SlowClose delays the end of connections (FIN), and not their data: who waits for it keeps what it would give back.
type SlowClose struct{}

// Info implements Fault.
func (SlowClose) Info() Info {
	return Info{
		Name: "slow-close", Strikes: AnyHost, Needs: "links",
		Summary: "lets the end of a connection arrive late, and its data in time",
		Params:  []Param{{Name: "delay", Required: true, Text: "how late"}},
	}
}

// Available implements Fault.
func (sc SlowClose) Available(c Cluster, s Strike) error { return needFlows(sc, c, s) }

// Inject implements Fault. An end that is held back when it is healed arrives at once.
func (sc SlowClose) Inject(_ context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	return slow(sc, c, s, shape{closing: s.Params.Delay})
}
