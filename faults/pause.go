package faults

import (
	"context"
	"errors"
	"fmt"
)

// Pause suspends processes, as a long garbage collection, a swapping host or a migrating virtual machine does. Their
// connections stay open, and their clocks go on.
type Pause struct{}

// Info implements Fault.
func (Pause) Info() Info {
	return Info{
		Name: "pause", Strikes: AnyHost,
		Summary: "suspends the target's processes (SIGSTOP); they go on where they were",
		Params: []Param{{
			Name: "point",
			Text: "where a client stops: " + AfterGrant + " (its next acquire has returned) or " + BeforeWrite +
				" (it has read, held and checked that it still holds); else wherever it is",
		}},
	}
}

// Available implements Fault.
func (Pause) Available(c Cluster, s Strike) error {
	if err := s.Target.Meaningful(c); err != nil {
		return err
	}
	side, err := s.Target.Role.Side()
	switch point := s.Params.Point; {
	case err != nil:
		return err
	case point == "":
		return nil
	case point != AfterGrant && point != BeforeWrite:
		return fmt.Errorf("unknown point %q; there are: %s, %s", point, AfterGrant, BeforeWrite)
	case side != Clients:
		return errors.New("only a client stops at a point")
	}
	return nil
}

// Inject implements Fault. A client that is to stop at a point has done so before.
func (Pause) Inject(ctx context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	return c.Processes().Pause(ctx, s.Hosts)
}
