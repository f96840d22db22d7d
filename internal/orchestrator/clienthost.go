package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/lockbench/lockbench/internal/client"
	"github.com/lockbench/lockbench/internal/history"
)

// lifeStride keeps the process numbers of a client's lives apart: a worker takes a new number each time that something
// ends in doubt, and never does so this often.
const lifeStride = 1 << 20

// clientHost is one client of a test, through all its lives: faults may stop it, kill it and start it again. It is a
// faults.Process. Safe for concurrent use.
type clientHost struct {
	test *test
	name string
	open client.Open // of its first life
	dir  string

	mu      sync.Mutex
	current *clientProcess // nil: it was killed
	life    int
	skew    time.Duration    // of its wall clock
	work    *client.Workload // what it was told last
}

// newClient makes the i-th client and its links, and starts it.
func (t *test) newClient(i int) (*clientHost, error) {
	w := t.run.scenario.Workload
	h := &clientHost{test: t, name: clientName(i)}
	h.open = client.Open{
		Version: client.ProtocolVersion, Client: h.name, Driver: t.live.driver.Info.Name,
		Resource: t.resource.Addr(), Fencing: t.meta.Fencing, TTL: time.Duration(w.TTL),
		Seed: t.run.cfg.Seed, Workers: w.Workers,
		FirstProcess: int64(i * w.Workers), Stride: int64(w.Clients * w.Workers), Dir: t.streams,
		InTransaction: t.meta.InTransaction,
	}
	for _, n := range t.live.cluster.Nodes() {
		h.open.Servers = append(h.open.Servers, n.Addr)
	}
	var err error
	if links := t.live.links; links != nil {
		for k, n := range t.live.cluster.Nodes() {
			if h.open.Servers[k], err = links.Open(h.name, n.Name, "127.0.0.1:0", n.Addr); err != nil {
				return h, err
			}
		}
		if h.open.Resource, err = links.Open(h.name, "resource", "127.0.0.1:0", t.resource.Addr()); err != nil {
			return h, err
		}
	}
	if h.dir, err = t.run.agent.Dir(t.meta.Name + "-" + h.name); err != nil {
		return h, err
	}
	return h, h.begin()
}

// begin starts the next life. The caller has h.mu, or h to itself.
func (h *clientHost) begin() (err error) {
	o := h.open
	o.FirstProcess += int64(h.life) * o.Stride * lifeStride
	h.life++
	o.Life = h.life
	log := filepath.Join(h.test.run.dir.Logs(), h.test.live.driver.Info.Name+"-clients.log")
	h.current, err = startClient(h.test.run.agent, h.dir, log, o)
	if err == nil && h.skew != 0 {
		err = h.current.process.SkewClock(h.skew)
	}
	return err
}

// alive is the client's process now; nil: it was killed.
func (h *clientHost) alive() *clientProcess {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.current
}

// standsStill reports whether the client can do nothing now.
func (h *clientHost) standsStill() bool {
	p := h.alive()
	return p == nil || p.process.Suspended()
}

// assign tells the client how to work, now and in its next lives.
func (h *clientHost) assign(load *client.Workload) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.work = load
	if h.current == nil {
		return nil
	}
	return h.current.send(client.Command{Work: load})
}

// Suspend implements faults.Process.
func (h *clientHost) Suspend() error {
	p := h.alive()
	if p == nil {
		return fmt.Errorf("client %s is not running", h.name)
	}
	return p.process.Suspend()
}

// Continue implements faults.Process.
func (h *clientHost) Continue() error {
	if p := h.alive(); p != nil {
		return p.process.Continue()
	}
	return nil
}

// SkewClock implements faults.ClockSkewer.
func (h *clientHost) SkewClock(offset time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.skew = offset
	if h.current == nil {
		return nil
	}
	return h.current.process.SkewClock(offset)
}

// Kill implements faults.Process. The history's line of the kill is stamped before the signal is sent.
func (h *clientHost) Kill() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == nil {
		return nil
	}
	op := history.Op{Client: h.name, Process: history.NemesisProcess, Type: history.Invoke, F: history.Kill}
	logged := h.test.append(&op)
	err := h.current.kill()
	h.current = nil
	op.Type = history.OK
	if err != nil {
		op.Type, op.Error = history.Info, err.Error()
	}
	op.Time = 0
	return errors.Join(logged, err, h.test.append(&op))
}

// Start implements faults.Process.
func (h *clientHost) Start(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current != nil {
		return nil
	}
	err := h.begin()
	if err == nil {
		err = h.current.ready(ctx)
	}
	if err == nil && h.work != nil {
		err = h.current.send(client.Command{Work: h.work})
	}
	if err != nil {
		return fmt.Errorf("start client %s again: %w", h.name, err)
	}
	return nil
}

// finish ends the client for good, and its links.
func (h *clientHost) finish(grace time.Duration) (err error) {
	if p := h.alive(); p != nil {
		err = p.finish(grace)
	}
	if links := h.test.live.links; links != nil {
		err = errors.Join(err, links.CloseHost(h.name))
	}
	return err
}
