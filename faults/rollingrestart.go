package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/faults/processes"
)

// RollingRestart kills servers one after another and starts each again with its data before the next, as an upgrade
// does that does not ask whether the servers are well.
type RollingRestart struct{}

// Info implements Fault.
func (RollingRestart) Info() Info {
	return Info{
		Name: "rolling-restart", Targets: Servers, Traits: []Trait{Kills}, Needs: "servers that keep their data on disk",
		Summary:  "kills the target's servers one after another, in random order, and starts each again with its data",
		Settings: []Setting{{Name: "gap", Kind: Duration, Text: "how long all servers run between two restarts"}},
	}
}

// Available implements Fault.
func (RollingRestart) Available(c Cluster, in Injection) error { return needDurable(c, in) }

// Inject implements Fault. It returns as the round begins; heal waits for its end. When heal's context ends, no
// server is killed any more, and the one that is down is started.
func (RollingRestart) Inject(ctx context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := needDurable(c, in); err != nil {
		return nil, err
	}
	order := slices.Clone(in.Hosts)
	in.Rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	// The round lasts as long as the fault, not as the call that begins it.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &round{processes: c.Processes(), gap: in.Settings.Duration("gap"), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = r.run(ctx, order)
	}()
	return func(ctx context.Context) error {
		select {
		case <-r.done:
		case <-ctx.Done():
			cancel()
			<-r.done
		}
		cancel()
		return r.heal(ctx)
	}, nil
}

// round is a rolling restart under way.
type round struct {
	processes *processes.Processes
	gap       time.Duration
	done      chan struct{}
	// err is why the round ended early, and start starts a server that it left down. Both are set when done is closed.
	err   error
	start func(context.Context) error
}

// run restarts the hosts until ctx ends, which is no error.
func (r *round) run(ctx context.Context, order []string) error {
	for i, host := range order {
		if i > 0 && !sleep(ctx, r.gap) || ctx.Err() != nil {
			return nil
		}
		start, err := r.processes.Down(ctx, []string{host}, false)
		if err == nil {
			err = processes.Undo(ctx, start) // even if the round is cancelled now
		}
		if err != nil {
			r.start = start
			return fmt.Errorf("restart %s, which is number %d of %v: %w", host, i+1, order, err)
		}
	}
	return nil
}

// heal starts what the round left down, and tells what went wrong in it.
func (r *round) heal(ctx context.Context) error {
	if r.start == nil {
		return r.err
	}
	return errors.Join(r.err, processes.Undo(ctx, r.start))
}

// sleep waits for d; false: ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
