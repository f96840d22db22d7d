package faults

import (
	"context"
	"time"
)

// ClockStrobe sets wall clocks to and fro between the true time and another, as two time sources that disagree do.
type ClockStrobe struct{}

// Info implements Fault.
func (ClockStrobe) Info() Info {
	return Info{
		Name: "clock-strobe", Targets: AnyHost, Traits: []Trait{MovesClocks}, Needs: needsClocks,
		Summary:  "sets the target's wall clock to and fro between the true time and another",
		Settings: []Setting{offset(), {Name: "gap", Kind: Duration, Required: true, Min: 1, Text: "how long it shows each"}},
	}
}

// Available implements Fault.
func (ClockStrobe) Available(c Cluster, in Injection) error { return needClocks(c, in) }

// Inject implements Fault. It begins with the wrong time.
func (ClockStrobe) Inject(ctx context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := needClocks(c, in); err != nil {
		return nil, err
	}
	offset := in.Settings.Duration("offset")
	strobing, err := c.Processes().Skew(in.Hosts, offset)
	if err != nil {
		return nil, err
	}
	wrong := true
	return vary(ctx, strobing, in.Settings.Duration("gap"), func(time.Duration) time.Duration {
		if wrong = !wrong; wrong {
			return offset
		}
		return 0
	}), nil
}
