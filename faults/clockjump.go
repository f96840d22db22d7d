package faults

import (
	"context"
)

// ClockJump sets wall clocks forward or back at once, as an operator, a first synchronization after a boot, or a
// resumed virtual machine does.
type ClockJump struct{}

// Info implements Fault.
func (ClockJump) Info() Info {
	return Info{
		Name: "clock-jump", Targets: AnyHost, Traits: []Trait{MovesClocks}, Needs: needsClocks,
		Summary:  "sets the target's wall clock forward or back; its monotonic clock goes on",
		Settings: []Setting{offset()},
	}
}

const needsClocks = "clocks that can be moved"

func offset() Setting {
	return Setting{Name: "offset", Kind: Offset, Required: true, Text: "by how much; with a minus sign back"}
}

// Available implements Fault.
func (ClockJump) Available(c Cluster, in Injection) error { return needClocks(c, in) }

// Inject implements Fault.
func (ClockJump) Inject(_ context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := needClocks(c, in); err != nil {
		return nil, err
	}
	jumped, err := c.Processes().Skew(in.Hosts, in.Settings.Duration("offset"))
	if err != nil {
		return nil, err
	}
	return jumped.Heal, nil
}
