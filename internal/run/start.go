package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run/clients"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// startClusters starts every driver's servers at once. A backend that is not installed leaves its drivers not
// run, with what to do about it; one that fails to start is an error. stop ends what was started.
func (r *run) startClusters(ctx context.Context, parts []*driverRun) (stop func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	began := time.Now()
	errs := make([]error, len(parts))
	_ = servers.InParallel(len(parts), func(i int) error {
		p := parts[i]
		r.emit(progress.Event{Kind: progress.ClusterStarting, Driver: p.row.Name})
		errs[i] = r.startCluster(ctx, p)
		if p.live.cluster != nil {
			r.emit(progress.Event{Kind: progress.ClusterReady, Driver: p.row.Name, Version: p.row.Version})
		} else {
			r.emit(progress.Event{Kind: progress.DriverOut, Driver: p.row.Name, Status: p.row.Status, Reason: p.row.Reason})
		}
		r.publish(p)
		return nil
	})
	stop = func() {
		_ = servers.InParallel(len(parts), func(i int) error {
			if err := r.stop(parts[i]); err != nil {
				r.emit(progress.Event{Kind: progress.Note, Driver: parts[i].row.Name, Text: err.Error()})
			}
			return nil
		})
	}
	started := 0
	for _, p := range parts {
		if p.live.cluster != nil {
			started++
		}
	}
	r.emit(progress.Event{Kind: progress.ClustersReady, Clusters: &progress.Clusters{Ready: started, Wanted: len(parts)}, Took: time.Since(began)})
	if !r.cfg.Direct && ctx.Err() == nil {
		if r.meta.ProxyCost, err = measureProxy(r.agent, r.dir.Logs(), r.listen); err != nil {
			errs = append(errs, err)
		}
	}
	return stop, errors.Join(errs...)
}

func (r *run) startCluster(ctx context.Context, p *driverRun) error {
	info := p.live.driver.Info
	b, err := r.backend(info.Backend)
	if err != nil {
		return err
	}
	version, err := b.Detect(ctx, r.agent)
	if interrupted(ctx) {
		p.neverBegan()
		return nil
	}
	if err != nil {
		p.row.Status, p.row.Reason = results.NotRun, err.Error()
		p.noTest(results.NotRun, err)
		return nil
	}
	p.row.Version = version
	logs := r.dir.Logs()
	if r.cfg.Pool != nil {
		logs = r.cfg.Pool.logs
		if c, ok := r.cfg.Pool.take(r.poolKey(p)); ok {
			p.live.cluster, p.live.links, p.row.Version = c.cluster, c.links, c.cluster.Version()
			return nil
		}
	}
	spec := servers.Spec{
		Name: info.Name, Nodes: len(info.Topology), Host: r.agent, LogDir: logs,
		TTL: time.Duration(r.scenario.Workload.TTL), Durable: r.scenario.Topology.Durable,
		Connections: plan.ServerConnections(r.scenario, p.live.driver),
	}
	var network *links.Links
	if !r.cfg.Direct {
		network = links.New()
		spec.Peer = func(from, to, listen, upstream string) error {
			_, err := network.Open(from, to, listen, upstream)
			return err
		}
	}
	p.live.links = network
	c, err := b.Start(ctx, spec)
	if err != nil && interrupted(ctx) { // the run says so; what the servers say of it is no news
		p.neverBegan()
		return nil
	}
	if err != nil {
		p.row.Status, p.row.Reason = results.Failed, err.Error()
		p.noTest(results.Failed, err)
		return fmt.Errorf("start the servers of %s: %w", info.Name, err)
	}
	p.live.cluster, p.row.Version = c, c.Version()
	return nil
}

// interrupted reports whether ctx ended because somebody wanted it, and not because it took too long.
func interrupted(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// neverBegan says that the driver was interrupted while its servers started.
func (p *driverRun) neverBegan() {
	p.row.Status, p.row.Reason = results.Incomplete, "interrupted while its servers started"
	p.noTest(results.NotRun, errors.New("interrupted before it began"))
}

// noTest says of every test that could have run why it does not.
func (p *driverRun) noTest(status results.Status, why error) {
	for i := range p.tests {
		if t := &p.tests[i]; t.Status == results.NotRun {
			t.Status, t.Reason = status, why.Error()
		}
	}
}

func (r *run) backend(name drivers.Backend) (servers.Backend, error) {
	for _, b := range r.cfg.Backends {
		if b.Name() == name {
			return b, nil
		}
	}
	return nil, fmt.Errorf("no backend is called %q", name)
}

// stop ends the driver's servers and links, or gives them back to the pool if they are as they were.
func (r *run) stop(p *driverRun) error {
	c := pooled{p.live.cluster, p.live.links}
	if c.cluster != nil && r.cfg.Pool != nil && !p.broken {
		r.cfg.Pool.put(r.poolKey(p), c)
		return nil
	}
	return c.stop()
}

// restAll makes every worker of the test pause.
func (t *test) restAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.bound(), errors.New("the clients do not come to rest"))
	defer cancel()
	return clients.Rest(ctx, t.clients)
}
