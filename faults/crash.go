package faults

import (
	"context"
	"fmt"
)

// Crash kills processes and starts them again with their data. A client comes back with new sessions.
type Crash struct{}

// Info implements Fault.
func (Crash) Info() Info {
	return Info{
		Name: "crash", Strikes: AnyHost, Needs: "servers that keep their data on disk",
		Summary: "kills the target's processes (SIGKILL), and starts them again with their data",
	}
}

// Available implements Fault.
func (Crash) Available(c Cluster, s Strike) error { return needDurable(c, s) }

// Inject implements Fault.
func (Crash) Inject(ctx context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := needDurable(c, s); err != nil {
		return nil, err
	}
	return c.Processes().Down(ctx, s.Hosts, false)
}

// needDurable says why the target's processes would not come back with their data. Clients have none.
func needDurable(c Cluster, s Strike) error {
	return eachServer(c, s, func(name string, p Process) error {
		d, ok := p.(Durable)
		if !ok {
			return fmt.Errorf("it is not known whether %s keeps its data when it is killed", name)
		}
		if err := d.Durable(); err != nil {
			return fmt.Errorf("%w: use amnesia, or durable: true", err)
		}
		return nil
	})
}

// eachServer asks about every server, if the target is among them.
func eachServer(c Cluster, s Strike, ask func(name string, p Process) error) error {
	if err := s.Target.Meaningful(c); err != nil {
		return err
	}
	if side, err := s.Target.Role.Side(); err != nil || side != Servers {
		return err
	}
	for _, name := range c.Nodes() {
		p, err := c.Processes().Process(name)
		if err != nil {
			return err
		}
		if err := ask(name, p); err != nil {
			return err
		}
	}
	return nil
}
