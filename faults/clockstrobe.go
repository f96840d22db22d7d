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
		Name: "clock-strobe", Strikes: AnyHost, Needs: needsClocks,
		Summary: "sets the target's wall clock to and fro between the true time and another",
		Params:  []Param{offsetParam(), {Name: "gap", Required: true, Text: "how long it shows each"}},
	}
}

// Available implements Fault.
func (ClockStrobe) Available(c Cluster, s Strike) error { return needOffset(c, s) }

// Inject implements Fault. It begins with the wrong time.
func (ClockStrobe) Inject(ctx context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := needOffset(c, s); err != nil {
		return nil, err
	}
	strobing, err := c.Processes().Skew(s.Hosts, *s.Params.Offset)
	if err != nil {
		return nil, err
	}
	wrong := true
	return strobing.steadily(ctx, s.Params.Gap, func(time.Duration) time.Duration {
		if wrong = !wrong; wrong {
			return *s.Params.Offset
		}
		return 0
	}), nil
}
