package faults

import "context"

// Bandwidth lets only so many bytes a second pass in each struck direction between two hosts, of all their connections
// together.
type Bandwidth struct{}

// Info implements Fault.
func (Bandwidth) Info() Info {
	return Info{
		Name: "bandwidth", Strikes: AnyHost, Needs: "links",
		Summary: "limits how many bytes a second travel between the target and each of its peers, one way",
		Params:  []Param{{Name: "rate", Required: true, Text: "the limit in KiB/s"}},
	}
}

// Available implements Fault.
func (b Bandwidth) Available(c Cluster, s Strike) error { return needFlows(b, c, s) }

// Inject implements Fault.
func (b Bandwidth) Inject(_ context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	return slow(b, c, s, shape{rate: s.Params.Rate << 10})
}
