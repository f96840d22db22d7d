package faults

import (
	"context"
	"errors"
	"fmt"

	"github.com/lockbench/lockbench/internal/topology"
)

// Terminate has the servers end the sessions that hold locks, as an administrator or an idle time-out does
// (pg_terminate_backend).
type Terminate struct{}

// Info implements Fault.
func (Terminate) Info() Info {
	return Info{
		Name: "terminate", Targets: Servers, Traits: []Trait{TakesLock}, Needs: "PostgreSQL",
		Summary: "ends the server processes of all sessions that hold a lock; those that wait for one go on",
	}
}

// Available implements Fault.
func (Terminate) Available(c Cluster, in Injection) error {
	if err := in.Target.Meaningful(c); err != nil {
		return err
	}
	_, err := terminator(c)
	return err
}

func terminator(c Cluster) (Terminator, error) {
	t, ok := c.Service().(Terminator)
	if !ok {
		return nil, topology.NotApplicable("these servers cannot be told to end the sessions that hold a lock")
	}
	return t, nil
}

// Inject implements Fault. There is nothing to heal: clients open new sessions.
func (Terminate) Inject(ctx context.Context, c Cluster, _ Injection) (func(context.Context) error, error) {
	t, err := terminator(c)
	if err != nil {
		return nil, err
	}
	n, err := t.TerminateHolders(ctx)
	if err != nil {
		return nil, fmt.Errorf("end the sessions that hold a lock: %w", err)
	}
	if n == 0 {
		return nil, errors.New("no session held a lock that could be ended")
	}
	return healed(func() {}), nil
}
