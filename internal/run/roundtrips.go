package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/faults/links"
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

// countRoundTrips measures, of all drivers at once, how many round trips an acquire waits for, before anything else
// is measured: in runs that measure what an acquire costs, and that have links. A figure that cannot be had is no
// failure of the run.
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
			found, err := r.roundTripsOf(ctx, p)
			if err != nil {
				found.Reason = err.Error()
				r.emit(progress.Event{Kind: progress.Note, Driver: p.row.Name, Text: err.Error()})
			}
			p.row.RoundTripsMeasured = &found
			r.publish(p)
		})
	}
	wg.Wait()
}

// roundTripsOf measures over links of its own.
func (r *run) roundTripsOf(ctx context.Context, p *driverRun) (_ results.RoundTrips, err error) {
	const host = "round-trips"
	ttl := time.Duration(r.scenario.Workload.TTL)
	mesh := p.live.links
	var addrs []string
	var flows []links.Flow
	defer func() { err = errors.Join(err, mesh.CloseHost(host)) }()
	for _, n := range p.live.cluster.Nodes() {
		addr, err := mesh.Open(host, n.Name, r.listen, n.Addr)
		if err != nil {
			return results.RoundTrips{}, err
		}
		addrs = append(addrs, addr)
		flows = append(flows, links.Flow{From: host, To: n.Name}, links.Flow{From: n.Name, To: host})
	}
	opt := p.live.options(r.namespace())
	opt.TTL, opt.Rand = ttl, rng.Stream(r.cfg.Seed, "round trips "+p.row.Name, 0)
	found, err := roundtrips.Measure(ctx, roundtrips.Config{
		Driver: p.live.driver, Addrs: addrs, Options: opt,
		// Redlock gives each server a twentieth of the TTL.
		Delay:  min(tripDelay, ttl/50),
		Longer: func(by time.Duration) (func(), error) { return mesh.Slow(links.Fixed(by/2), flows...) },
	})
	return results.RoundTrips{N: found.N, Acquires: found.Acquires, Delay: found.Delay, Longer: found.Longer}, err
}
