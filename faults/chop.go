package faults

import "context"

// Chop cuts what is sent into small pieces, as links with a small MTU and slow senders do: a receiver must put messages
// together again.
type Chop struct{}

// Info implements Fault.
func (Chop) Info() Info {
	return Info{
		Name: "chop", Strikes: AnyHost, Needs: "links",
		Summary: "cuts what is sent into small pieces",
		Params: []Param{
			{Name: "size", Required: true, Text: "the greatest number of bytes in a piece"},
			{Name: "gap", Text: "the pause between two pieces of a connection; without one the receiver may read several at once"},
		},
	}
}

// Available implements Fault.
func (ch Chop) Available(c Cluster, s Strike) error { return needFlows(ch, c, s) }

// Inject implements Fault.
func (ch Chop) Inject(_ context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	return slow(ch, c, s, shape{size: s.Params.Size, gap: s.Params.Gap})
}
