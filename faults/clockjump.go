package faults

import (
	"context"
	"errors"
)

// ClockJump sets wall clocks forward or back at once, as an operator, a first synchronization after a boot, or a resumed
// virtual machine does.
type ClockJump struct{}

// Info implements Fault.
func (ClockJump) Info() Info {
	return Info{
		Name: "clock-jump", Strikes: AnyHost, Needs: needsClocks,
		Summary: "sets the target's wall clock forward or back; its monotonic clock goes on",
		Params:  []Param{offsetParam()},
	}
}

const needsClocks = "clocks that can be moved"

func offsetParam() Param {
	return Param{Name: "offset", Required: true, Signed: true, Text: "by how much; with a minus sign back"}
}

// needOffset says why the clocks of the target cannot be set.
func needOffset(c Cluster, s Strike) error {
	if s.Params.Offset == nil {
		return errors.New("it is not said by how much (offset)")
	}
	return needClocks(c, s)
}

// Available implements Fault.
func (ClockJump) Available(c Cluster, s Strike) error { return needOffset(c, s) }

// Inject implements Fault.
func (ClockJump) Inject(_ context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := needOffset(c, s); err != nil {
		return nil, err
	}
	jumped, err := c.Processes().Skew(s.Hosts, *s.Params.Offset)
	if err != nil {
		return nil, err
	}
	return jumped.heal, nil
}
