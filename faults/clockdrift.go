package faults

import (
	"context"
	"time"
)

// ClockDrift makes wall clocks run too fast or too slow, as a bad oscillator or a misguided time daemon does.
type ClockDrift struct{}

// driftStep is how often a drifting clock is moved.
const driftStep = 20 * time.Millisecond

// maxPPM is the fastest drift: a thousand seconds in each second.
const maxPPM = 1_000_000_000

// Info implements Fault.
func (ClockDrift) Info() Info {
	return Info{
		Name: "clock-drift", Targets: AnyHost, Traits: []Trait{MovesClocks}, Needs: needsClocks,
		Summary: "makes the target's wall clock run too fast or too slow; its monotonic clock does not",
		Settings: []Setting{{
			Name: "ppm", Kind: Integer, Required: true, Min: -maxPPM, Max: maxPPM,
			Text: "millionths of a second that it gains in each second, with a minus sign loses; 1000000 is twice as fast",
		}},
	}
}

// Available implements Fault.
func (ClockDrift) Available(c Cluster, in Injection) error { return needClocks(c, in) }

// Inject implements Fault.
func (ClockDrift) Inject(ctx context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := needClocks(c, in); err != nil {
		return nil, err
	}
	ppm := in.Settings.Integer("ppm")
	drifting, err := c.Processes().Skew(in.Hosts, drifted(driftStep, ppm)) // tells at once of a clock that cannot be moved
	if err != nil {
		return nil, err
	}
	return vary(ctx, drifting, driftStep, func(elapsed time.Duration) time.Duration {
		return drifted(elapsed, ppm)
	}), nil
}

// drifted is what a clock gains in the given time.
func drifted(elapsed time.Duration, ppm int64) time.Duration {
	return time.Duration(elapsed.Seconds() * float64(ppm) * float64(time.Microsecond))
}
