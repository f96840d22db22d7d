package run

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// Pool keeps the clusters of a run for the next one: to start them takes longer than many a test. Safe for concurrent
// use.
type Pool struct {
	agent provision.Host
	logs  string

	mu   sync.Mutex
	idle map[string]pooled
}

// pooled is a cluster that runs, healed, with its links.
type pooled struct {
	cluster servers.Cluster
	links   *links.Links
}

// NewPool makes an empty pool. The servers' logs go to the directory logs, which is made. Close ends it.
func NewPool(logs string) (*Pool, error) {
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, fmt.Errorf("make the directory of the servers' logs: %w", err)
	}
	host, err := local.New()
	if err != nil {
		return nil, err
	}
	return &Pool{agent: host, logs: logs, idle: map[string]pooled{}}, nil
}

// Close stops every cluster.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, c := range p.idle {
		errs = append(errs, c.stop())
	}
	p.idle = nil
	return errors.Join(append(errs, p.agent.Close())...)
}

func (c pooled) stop() error {
	var errs []error
	if c.cluster != nil {
		errs = append(errs, c.cluster.Stop())
	}
	if c.links != nil {
		errs = append(errs, c.links.Close())
	}
	return errors.Join(errs...)
}

// take gives away the cluster that was put under that key, if there is one.
func (p *Pool) take(key string) (c pooled, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok = p.idle[key]
	delete(p.idle, key)
	return c, ok
}

func (p *Pool) put(key string, c pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle[key] = c
}

// poolKey tells apart what cannot stand for one another.
func (r *run) poolKey(p *driverRun) string {
	return fmt.Sprintf("%s direct=%v durable=%v ttl=%d connections=%d", p.row.Name, r.cfg.Direct, r.scenario.Topology.Durable, r.scenario.Workload.TTL,
		plan.ServerConnections(r.scenario, p.live.driver))
}
