// Package clients starts the client processes of a test, and commands them through all their lives.
package clients

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/workload"
)

// lifeStride keeps the process numbers of a client's lives apart: a worker takes a new number each time that something
// ends in doubt, and never does so this often.
const lifeStride = 1 << 20

// Config says how to start a client.
type Config struct {
	// Open is what the client is told first. Its servers and its resource are their own addresses.
	Open workload.Open
	// Servers names the servers, in the order of Open.Servers.
	Servers []string
	// Links, if set, stand between the client and its servers and resource. They listen at Listen ("ip:port").
	Links  *links.Links
	Listen string
	Host   provision.Host
	Dir    string // in which the processes work
	Log    string // for what they say
	// Record records a line of the history: a kill is stamped before the signal is sent.
	Record func(*history.Op) error
}

// Client is one client of a test, through all its lives: faults may stop it, kill it and start it again. It is a
// processes.Process. Safe for concurrent use.
type Client struct {
	cfg  Config
	name string
	open workload.Open // of its first life

	mu      sync.Mutex
	current *process // nil: it was killed
	life    int
	skew    time.Duration      // of its wall clock
	stops   bool               // it was told to stop itself
	work    *workload.Workload // what it was told last
}

// Start makes a client and its links, and starts it. After an error the caller still has to call Finish.
func Start(cfg Config) (c *Client, err error) {
	c = &Client{cfg: cfg, name: cfg.Open.Client, open: cfg.Open}
	if cfg.Links == nil {
		return c, c.begin()
	}
	c.open.Servers = nil
	for k, addr := range cfg.Open.Servers {
		linked, err := cfg.Links.Open(c.name, cfg.Servers[k], cfg.Listen, addr)
		if err != nil {
			return c, err
		}
		c.open.Servers = append(c.open.Servers, linked)
	}
	if c.open.Resource, err = cfg.Links.Open(c.name, string(faults.Resource), cfg.Listen, cfg.Open.Resource); err != nil {
		return c, err
	}
	return c, c.begin()
}

// begin starts the next life. The caller has c.mu, or c to itself.
func (c *Client) begin() (err error) {
	o := c.open
	o.FirstProcess += int64(c.life) * o.Stride * lifeStride
	c.life++
	o.Life = c.life
	c.current, err = start(c.cfg.Host, c.cfg.Dir, c.cfg.Log, o)
	if err == nil && c.skew != 0 {
		err = c.current.child.SkewClock(c.skew)
	}
	return err
}

// Name is what the client is called.
func (c *Client) Name() string { return c.name }

// alive is the client's life now; nil: it was killed.
func (c *Client) alive() *process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// Life is the process of the client's life now; nil: it was killed.
func (c *Client) Life() provision.Process {
	if p := c.alive(); p != nil {
		return p.child
	}
	return nil
}

// MayStop reports whether the client was told to stop itself, and not yet to go on.
func (c *Client) MayStop() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stops
}

func (c *Client) mayStop(stops bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stops = stops
}

// StandsStill reports whether the client can do nothing now.
func (c *Client) StandsStill() bool {
	p := c.alive()
	return p == nil || p.child.Suspended()
}

// Assign tells the client how to work, now and in its next lives.
func (c *Client) Assign(load *workload.Workload) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.work = load
	if c.current == nil {
		return nil
	}
	return c.current.send(workload.Command{Work: load})
}

// Suspend implements processes.Process.
func (c *Client) Suspend() error {
	p := c.alive()
	if p == nil {
		return fmt.Errorf("client %s is not running", c.name)
	}
	return p.child.Suspend()
}

// Continue implements processes.Process.
func (c *Client) Continue() error {
	if p := c.alive(); p != nil {
		return p.child.Continue()
	}
	return nil
}

// SkewClock implements processes.ClockSkewer.
func (c *Client) SkewClock(offset time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew = offset
	if c.current == nil {
		return nil
	}
	return c.current.child.SkewClock(offset)
}

// Kill implements processes.Process. The history's line of the kill is stamped before the signal is sent.
func (c *Client) Kill() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil {
		return nil
	}
	op := history.Op{Client: c.name, Process: history.NemesisProcess, Type: history.Invoke, F: history.Kill}
	logged := c.cfg.Record(&op)
	err := c.current.kill()
	c.current = nil
	op.Type = history.OK
	if err != nil {
		op.Type, op.Error = history.Info, err.Error()
	}
	op.Time = 0
	return errors.Join(logged, err, c.cfg.Record(&op))
}

// Start implements processes.Process.
func (c *Client) Start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil {
		return nil
	}
	err := c.begin()
	if err == nil {
		err = c.current.ready(ctx)
	}
	if err == nil && c.work != nil {
		err = c.current.send(workload.Command{Work: c.work})
	}
	if err != nil {
		return fmt.Errorf("start client %s again: %w", c.name, err)
	}
	return nil
}

// Ready waits until the client can be told to work.
func (c *Client) Ready(ctx context.Context) error {
	if err := c.alive().ready(ctx); err != nil {
		return fmt.Errorf("start client %s: %w", c.name, err)
	}
	return nil
}

// Rest makes every worker of all these clients pause, and waits until they do.
func Rest(ctx context.Context, all []*Client) error {
	for _, c := range all {
		if err := c.alive().send(workload.Command{Rest: &struct{}{}}); err != nil {
			return err
		}
	}
	for _, c := range all {
		if _, err := c.alive().await(ctx, func(e workload.Event) bool { return e.Resting != nil }); err != nil {
			return fmt.Errorf("client %s: %w", c.name, err)
		}
	}
	return nil
}

// Finish makes the client come to rest within the grace period, or soon after ctx has ended, ends it for good, and
// closes its links.
func (c *Client) Finish(ctx context.Context, grace time.Duration) (err error) {
	if p := c.alive(); p != nil {
		err = p.finish(ctx, grace)
	}
	if c.cfg.Links != nil {
		err = errors.Join(err, c.cfg.Links.CloseHost(c.name))
	}
	return err
}
