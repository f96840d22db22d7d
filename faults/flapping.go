package faults

import (
	"context"
	"math/rand/v2"
	"time"
)

// Flapping cuts the target off and lets it back, in turns, as a bad cable or a route that oscillates does. It begins
// with a cut. As in a partition nothing is lost.
type Flapping struct{}

// Info implements Fault.
func (Flapping) Info() Info {
	return Info{
		Name: "flapping", Targets: AnyHost, Needs: "links",
		Summary: "cuts the target off and lets it back, in turns; what was held back arrives late",
		Settings: []Setting{
			{Name: "up", Kind: Duration, Required: true, Min: 1, Text: "how long the links work; each time is drawn evenly between half of it and one and a half"},
			{Name: "down", Kind: Duration, Required: true, Min: 1, Text: "how long they are cut, drawn in the same way"},
		},
	}
}

// Available implements Fault.
func (f Flapping) Available(c Cluster, in Injection) error { return needLinks(c, in) }

// Inject implements Fault.
func (f Flapping) Inject(ctx context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := f.Available(c, in); err != nil {
		return nil, err
	}
	flows := in.flows(c)
	heal, err := c.Links().Cut(flows...)
	if err != nil {
		return nil, err
	}
	// It lasts until the heal, and not only as long as the call that begins it.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, around(in.Settings.Duration("down"), in.Rand)) {
			heal()
			if !sleep(ctx, around(in.Settings.Duration("up"), in.Rand)) {
				return
			}
			if heal, err = c.Links().Cut(flows...); err != nil {
				return
			}
		}
		heal()
	}()
	return func(context.Context) error { cancel(); <-done; return err }, nil
}

// around draws a time between half of d and one and a half.
func around(d time.Duration, random *rand.Rand) time.Duration {
	return d/2 + time.Duration(random.Int64N(int64(d)+1))
}
