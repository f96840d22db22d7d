package faults

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Latency delays all that is sent, as distance or a long queue does. It counts in microseconds; what is late by jitter
// never overtakes.
type Latency struct{}

// Info implements Fault.
func (Latency) Info() Info {
	return Info{
		Name: "latency", Strikes: AnyHost, Needs: "links",
		Summary: "delays all that is sent; a round trip takes the delay twice, if both directions are struck",
		Params: []Param{
			{Name: "delay", Required: true, Text: "by how much"},
			{Name: "jitter", Text: "is added to the delay, drawn evenly between 0 and it, for each chunk that is sent"},
		},
	}
}

// Available implements Fault.
func (l Latency) Available(c Cluster, s Strike) error { return needFlows(l, c, s) }

// Inject implements Fault. What is under way when it is healed arrives at once.
func (l Latency) Inject(_ context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	return slow(l, c, s, shape{delay: drawn(s.Params.Delay, s.Params.Jitter, s.Rand)})
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
