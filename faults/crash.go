package faults

import (
	"context"
	"fmt"

	"github.com/lockbench/lockbench/faults/processes"
)

// Crash kills processes and starts them again with their data. A client comes back with new sessions.
type Crash struct{}

// Info implements Fault.
func (Crash) Info() Info {
	return Info{
		Name: "crash", Targets: AnyHost, Traits: []Trait{Kills, TakesLock}, Needs: "servers that keep their data on disk",
		Summary: "kills the target's processes (SIGKILL), and starts them again with their data",
	}
}

// Available implements Fault.
func (Crash) Available(c Cluster, in Injection) error { return needDurable(c, in) }

// Inject implements Fault.
func (Crash) Inject(ctx context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := needDurable(c, in); err != nil {
		return nil, err
	}
	return c.Processes().Down(ctx, in.Hosts, false)
}

// needDurable says why the target's processes would not come back with their data. Clients have none.
func needDurable(c Cluster, in Injection) error {
	return eachServer(c, in, func(name string, p processes.Process) error {
		d, ok := p.(processes.Durable)
		if !ok {
			return fmt.Errorf("it is not known whether %s keeps its data when it is killed", name)
		}
		if err := d.Durable(); err != nil {
			return fmt.Errorf("%w: use amnesia, or durable: true", err)
		}
		return nil
	})
}

// eachServer asks about every server that the target can be.
func eachServer(c Cluster, in Injection, ask func(name string, p processes.Process) error) error {
	if err := needProcess(c, in); err != nil {
		return err
	}
	for _, name := range in.Target.servers(c).Names() {
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
