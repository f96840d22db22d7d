package faults

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lockbench/lockbench/faults/links"
)

// Latency delays all that is sent, as distance or a long queue does. Delays are accurate to microseconds, and jitter
// never changes the order of what is sent.
type Latency struct{}

// Info implements Fault.
func (Latency) Info() Info {
	return Info{
		Name: "latency", Targets: AnyHost, Needs: "links",
		Summary: "delays all that is sent; a round trip takes the delay twice, if it is injected both ways",
		Settings: []Setting{
			{Name: "delay", Kind: Duration, Required: true, Min: 1, Text: "by how much"},
			{Name: "jitter", Kind: Duration, Text: "is added to the delay, drawn evenly between 0 and it, for each chunk that is sent"},
		},
	}
}

// Available implements Fault.
func (l Latency) Available(c Cluster, in Injection) error { return needLinks(c, in) }

// Inject implements Fault. What is under way when it is healed arrives at once.
func (l Latency) Inject(_ context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	return slow(l, c, in, links.Shape{Delay: drawn(in.Settings.Duration("delay"), in.Settings.Duration("jitter"), in.Rand)})
}

// drawn returns a function that many connections may call.
func drawn(delay, jitter time.Duration, random *rand.Rand) func() time.Duration {
	if jitter == 0 {
		return func() time.Duration { return delay }
	}
	var mu sync.Mutex
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return delay + time.Duration(random.Int64N(int64(jitter)+1))
	}
}
