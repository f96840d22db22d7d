package faults

import (
	"context"
	"time"
)

// ClockDrift makes wall clocks run too fast or too slow, as a bad oscillator or a misguided time daemon does.
type ClockDrift struct{}

// driftStep is how often a drifting clock is moved.
const driftStep = 20 * time.Millisecond

// Info implements Fault.
func (ClockDrift) Info() Info {
	return Info{
		Name: "clock-drift", Strikes: AnyHost, Needs: needsClocks,
		Summary: "makes the target's wall clock run too fast or too slow; its monotonic clock does not",
		Params: []Param{{
			Name: "ppm", Required: true, Signed: true,
			Text: "millionths of a second that it gains in each second, with a minus sign loses; 1000000 is twice as fast",
		}},
	}
}

// Available implements Fault.
func (ClockDrift) Available(c Cluster, s Strike) error { return needClocks(c, s) }

// Inject implements Fault.
func (ClockDrift) Inject(ctx context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := needClocks(c, s); err != nil {
		return nil, err
	}
	drifting, err := c.Processes().Skew(s.Hosts, drifted(driftStep, s.Params.PPM)) // a clock that cannot be moved is told here
	if err != nil {
		return nil, err
	}
	return drifting.steadily(ctx, driftStep, func(elapsed time.Duration) time.Duration {
		return drifted(elapsed, s.Params.PPM)
	}), nil
}

// drifted is what a clock gains in the given time.
func drifted(elapsed time.Duration, ppm int64) time.Duration {
	return time.Duration(elapsed.Seconds() * float64(ppm) * float64(time.Microsecond))
}
