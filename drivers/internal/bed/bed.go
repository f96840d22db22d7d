// Package bed runs the drivers' tests against real servers, over links that can be cut.
package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/conformance"
	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/servers/etcdmember"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
)

// startTimeout bounds the start of the servers.
const startTimeout = time.Minute

// Bed is running servers. It implements conformance.Servers.
type Bed struct {
	Nodes []servers.Node
	Links *links.Links

	host    provision.Host
	cluster servers.Cluster
}

// Main is for TestMain, and returns the exit code: the test program is also what the servers need to be started from
// it.
func Main(m interface{ Run() int }) int {
	return testenv.Main(m, map[string]func([]string) error{etcdmember.Command: etcdmember.Run})
}

// Run is Main for tests that share the servers which info asks for: use is handed them, or why they are missing.
func Run(m *testing.M, info drivers.Info, ttl time.Duration, use func(b *Bed, missing error)) int {
	return Main(runner(func() int {
		logs, err := os.MkdirTemp("", "bed-")
		if err != nil {
			return failed(err)
		}
		b, missing, err := start(context.Background(), info, ttl, logs)
		if err != nil {
			return failed(errors.Join(err, os.RemoveAll(logs)))
		}
		use(b, missing)
		code := m.Run()
		if err := errors.Join(b.stop(), os.RemoveAll(logs)); err != nil {
			return failed(err)
		}
		return code
	}))
}

type runner func() int

func (r runner) Run() int { return r() }

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// Start starts the servers that info asks for, until the test is over. If they are not installed it ends the test.
func Start(t testing.TB, info drivers.Info, ttl time.Duration) *Bed {
	t.Helper()
	b, missing, err := start(t.Context(), info, ttl, t.TempDir())
	testenv.NeedServer(t, missing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.stop(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func start(ctx context.Context, info drivers.Info, ttl time.Duration, logs string) (b *Bed, missing, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, backend := range servers.Backends() {
		if backend.Name() != info.Backend {
			continue
		}
		if _, missing := backend.Detect(ctx, local.Programs{}); missing != nil {
			return nil, missing, nil
		}
		b := &Bed{Links: links.New()}
		if b.host, err = local.New(); err != nil {
			return nil, nil, err
		}
		b.cluster, err = backend.Start(ctx, servers.Spec{
			Name: info.Name, Nodes: len(info.Topology), Host: b.host, LogDir: logs, TTL: ttl,
			Peer: func(from, to, listen, upstream string) error {
				_, err := b.Links.Open(from, to, listen, upstream)
				return err
			},
		})
		if err != nil {
			return nil, nil, errors.Join(err, b.stop())
		}
		b.Nodes = b.cluster.Nodes()
		return b, nil, nil
	}
	return nil, nil, fmt.Errorf("no servers are called %q", info.Backend)
}

// stop ends the servers. A nil Bed has none.
func (b *Bed) stop() error {
	if b == nil {
		return nil
	}
	var err error
	if b.cluster != nil {
		err = b.cluster.Stop()
	}
	return errors.Join(err, b.Links.Close(), b.host.Close())
}

// Addrs are the servers' own addresses, past every link.
func (b *Bed) Addrs() []string {
	var addrs []string
	for _, n := range b.Nodes {
		addrs = append(addrs, n.Addr)
	}
	return addrs
}

// Credentials are those of the servers.
func (b *Bed) Credentials() drivers.Credentials { return b.cluster.Credentials() }

// Kill ends server i, from 0, with SIGKILL: whoever dials it is refused.
func (b *Bed) Kill(t testing.TB, i int) {
	t.Helper()
	if err := b.Nodes[i].Process.Kill(); err != nil {
		t.Fatal(err)
	}
}

// Connect implements conformance.Servers.
func (b *Bed) Connect(t testing.TB, name string) conformance.Client { return b.Client(t, name) }

// Client makes links from a client to all servers.
func (b *Bed) Client(t testing.TB, name string) *Client {
	t.Helper()
	c := &Client{bed: b, t: t, name: t.Name() + " " + name}
	for _, n := range b.Nodes {
		addr, err := b.Links.Open(c.name, n.Name, "127.0.0.1:0", n.Addr)
		if err != nil {
			t.Fatal(err)
		}
		c.addrs = append(c.addrs, addr)
	}
	return c
}

// Client is the links of one client. It implements conformance.Client, Authorized, Cutter, Delayer and Resetter.
type Client struct {
	bed   *Bed
	t     testing.TB
	name  string
	addrs []string
}

// Addrs implements conformance.Client.
func (c *Client) Addrs() []string { return c.addrs }

// Credentials implements conformance.Authorized.
func (c *Client) Credentials() drivers.Credentials { return c.bed.Credentials() }

// Cut implements conformance.Cutter. The end of the test heals, too.
func (c *Client) Cut(requests, replies bool) (heal func()) { return c.CutFrom(requests, replies) }

// CutFrom is Cut at the servers of these numbers, from 0; none are all.
func (c *Client) CutFrom(requests, replies bool, nodes ...int) (heal func()) {
	c.t.Helper()
	heal, err := c.bed.Links.Cut(c.flows(requests, replies, nodes)...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(heal)
	return heal
}

// Delay implements conformance.Delayer.
func (c *Client) Delay(d time.Duration) (heal func(), err error) {
	return c.bed.Links.Slow(links.Fixed(d/2), c.flows(true, true, nil)...)
}

// Reset implements conformance.Resetter.
func (c *Client) Reset() error {
	heal, err := c.bed.Links.Reset(c.flows(true, true, nil)...)
	if err != nil {
		return err
	}
	heal()
	return nil
}

func (c *Client) flows(requests, replies bool, nodes []int) []links.Flow {
	if nodes == nil {
		for i := range c.bed.Nodes {
			nodes = append(nodes, i)
		}
	}
	var flows []links.Flow
	for _, i := range nodes {
		server := c.bed.Nodes[i].Name
		if requests {
			flows = append(flows, links.Flow{From: c.name, To: server})
		}
		if replies {
			flows = append(flows, links.Flow{From: server, To: c.name})
		}
	}
	return flows
}
