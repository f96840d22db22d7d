package orchestrator

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/internal/roundtrips"
	"github.com/lockbench/lockbench/scenarios"
)

const (
	// tripDelay makes a round trip longer than what an acquire's time varies by, on a machine that does little else.
	tripDelay = 20 * time.Millisecond
	// tripTimeout bounds the count, which takes less than a second.
	tripTimeout = 20 * time.Second
)

// countRoundTrips measures, of all drivers at once, how many round trips an acquire waits for, before anything else is
// measured: in runs that measure what an acquire costs, and that have links. A figure that cannot be had is no failure of the run.
func (r *run) countRoundTrips(ctx context.Context, parts []*driverRun) {
	if r.cfg.Direct || !slices.ContainsFunc(r.scenario.Phases, func(p scenarios.Phase) bool { return p.Latency }) {
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, tripTimeout, fmt.Errorf("not done within %v", tripTimeout))
	defer cancel()
	var wg sync.WaitGroup
	for _, p := range parts {
		if p.live.cluster == nil {
			continue
		}
		wg.Go(func() {
			found, err := roundtrips.Measure(ctx, r.tripsOf(p))
			if err != nil {
				found = results.RoundTrips{Reason: err.Error()}
				r.emit(progress.Event{Kind: progress.Note, Driver: p.row.Name, Text: err.Error()})
			}
			p.row.RoundTripsMeasured = &found
			r.publish(p)
		})
	}
	wg.Wait()
}

func (r *run) tripsOf(p *driverRun) roundtrips.Config {
	ttl := time.Duration(r.scenario.Workload.TTL)
	var servers []string
	for _, n := range p.live.cluster.Nodes() {
		servers = append(servers, n.Addr)
	}
	return roundtrips.Config{
		Driver: p.live.driver, Servers: servers, Links: p.live.links,
		Options: drivers.Options{TTL: ttl, Rand: rng.Stream(r.cfg.Seed, "round trips "+p.row.Name, 0)},
		// Redlock gives each server a twentieth of the TTL.
		Delay: min(tripDelay, ttl/50),
	}
}
