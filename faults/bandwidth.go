package faults

import (
	"context"

	"github.com/lockbench/lockbench/faults/links"
)

// Bandwidth limits how many bytes per second pass between two hosts, in each direction that it hits, on all their
// connections together.
type Bandwidth struct{}

// Info implements Fault.
func (Bandwidth) Info() Info {
	return Info{
		Name: "bandwidth", Targets: AnyHost, Needs: "links",
		Summary:  "limits how many bytes per second travel between the target and each of its peers, one way",
		Settings: []Setting{{Name: "rate", Kind: Integer, Required: true, Min: 1, Max: 1 << 50, Text: "the limit in KiB/s"}},
	}
}

// Available implements Fault.
func (b Bandwidth) Available(c Cluster, in Injection) error { return needLinks(c, in) }

// Inject implements Fault.
func (b Bandwidth) Inject(_ context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	return slow(b, c, in, links.Shape{Rate: in.Settings.Integer("rate") << 10})
}
