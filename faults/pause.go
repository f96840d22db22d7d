package faults

import (
	"context"
	"errors"
)

// Pause suspends processes, as a long garbage collection, a swapping host or a migrating virtual machine does. Their
// connections stay open, and their clocks go on.
type Pause struct{}

// PointSetting is the setting of a Pause by which a client stops itself at a point of its cycle.
const PointSetting = "point"

// The points.
const (
	// AfterGrant is when its next acquire has returned.
	AfterGrant = "after-grant"
	// BeforeWrite is when it has read, held and checked that it still holds.
	BeforeWrite = "before-write"
)

// Info implements Fault.
func (Pause) Info() Info {
	return Info{
		Name: "pause", Targets: AnyHost, Traits: []Trait{Pauses},
		Summary: "suspends the target's processes (SIGSTOP); they go on where they were",
		Settings: []Setting{{
			Name: PointSetting, Kind: Choice, OneOf: []string{AfterGrant, BeforeWrite},
			Text: "where a client stops: " + AfterGrant + " (its next acquire has returned) or " + BeforeWrite +
				" (it has read, held and checked that it still holds); else wherever it is",
		}},
	}
}

// Available implements Fault.
func (Pause) Available(c Cluster, in Injection) error {
	if err := needProcess(c, in); err != nil {
		return err
	}
	side, err := SideOf(in.Target.Role)
	if err == nil && in.Settings.Choice(PointSetting) != "" && side != Clients {
		err = errors.New("only a client stops at a point")
	}
	return err
}

// Inject implements Fault. A client that is to stop at a point has done so before.
func (Pause) Inject(ctx context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	return c.Processes().Pause(ctx, in.Hosts)
}
