package faults

import (
	"context"
	"math/rand/v2"
	"time"
)

// Flapping cuts the target off and lets it back, in turns, as a bad cable or a route that oscillates does. It begins with
// a cut. As in a partition nothing is lost.
type Flapping struct{}

// Info implements Fault.
func (Flapping) Info() Info {
	return Info{
		Name: "flapping", Strikes: AnyHost, Needs: "links",
		Summary: "cuts the target off and lets it back, in turns; what was held back arrives late",
		Params: []Param{
			{Name: "up", Required: true, Text: "how long the links work; each time is drawn evenly between half of it and one and a half"},
			{Name: "down", Required: true, Text: "how long they are cut, drawn in the same way"},
		},
	}
}

// Available implements Fault.
func (f Flapping) Available(c Cluster, s Strike) error { return needFlows(f, c, s) }

// Inject implements Fault.
func (f Flapping) Inject(ctx context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := f.Available(c, s); err != nil {
		return nil, err
	}
	gates, err := c.Links().find("cut", s.flows(c))
	if err != nil {
		return nil, err
	}
	// It lasts until the heal, and not only as long as the call that begins it.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	heal := cutAll(gates)
	go func() {
		defer close(done)
		for sleep(ctx, around(s.Params.Down, s.Rand)) {
			heal()
			if !sleep(ctx, around(s.Params.Up, s.Rand)) {
				return
			}
			heal = cutAll(gates)
		}
		heal()
	}()
	return healed(func() { cancel(); <-done }), nil
}

// around draws a time between half of d and one and a half.
func around(d time.Duration, random *rand.Rand) time.Duration {
	return d/2 + time.Duration(random.Int64N(int64(d)+1))
}
