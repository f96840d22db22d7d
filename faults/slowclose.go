package faults

import (
	"context"

	"github.com/lockbench/lockbench/faults/links"
)

// SlowClose delays the end of connections (FIN), but not their data. A receiver that waits for the end keeps what it
// would free then.
type SlowClose struct{}

// Info implements Fault.
func (SlowClose) Info() Info {
	return Info{
		Name: "slow-close", Targets: AnyHost, Needs: "links",
		Summary:  "lets the end of a connection arrive late, and its data in time",
		Settings: []Setting{{Name: "delay", Kind: Duration, Required: true, Min: 1, Text: "how late"}},
	}
}

// Available implements Fault.
func (sc SlowClose) Available(c Cluster, in Injection) error { return needLinks(c, in) }

// Inject implements Fault. An end that is held back when it is healed arrives at once.
func (sc SlowClose) Inject(_ context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	return slow(sc, c, in, links.Shape{Closing: in.Settings.Duration("delay")})
}
