package faults

import (
	"context"

	"github.com/lockbench/lockbench/faults/links"
)

// Chop cuts what is sent into small pieces, as links with a small MTU and slow senders do: a receiver must put messages
// together again.
type Chop struct{}

// Info implements Fault.
func (Chop) Info() Info {
	return Info{
		Name: "chop", Targets: AnyHost, Needs: "links",
		Summary: "cuts what is sent into small pieces",
		Settings: []Setting{
			{Name: "size", Kind: Integer, Required: true, Min: 1, Max: 1 << 30, Text: "the greatest number of bytes in a piece"},
			{Name: "gap", Kind: Duration, Text: "the pause between two pieces of a connection; without one the receiver may read several at once"},
		},
	}
}

// Available implements Fault.
func (ch Chop) Available(c Cluster, in Injection) error { return needLinks(c, in) }

// Inject implements Fault.
func (ch Chop) Inject(_ context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	return slow(ch, c, in, links.Shape{Size: int(in.Settings.Integer("size")), Gap: in.Settings.Duration("gap")})
}
