// Package servers has the recipes of the real servers behind the locks, one file per backend: what to start, with
// which files, arguments and addresses, and when it is ready. Where it runs is the business of a provision.Host.
package servers

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/topology"
)

// Node is one server of a cluster.
type Node struct {
	// Name is "n1", "n2", … in the order of the driver's addresses.
	Name string
	// Addr is where the server itself listens for clients ("ip:port"), not the link to it.
	Addr string
	// Process is the server. Some can do more: Durable() error, Wipe() error, OutsideModel() string, as faults know
	// them.
	Process Server
}

// Cluster is a set of running servers that are ready to serve.
type Cluster interface {
	Nodes() []Node
	// Credentials are what all nodes want to know of a client. They are drawn for this cluster.
	Credentials() drivers.Credentials
	// Leader names the node that leads now ("n2"). It asks the servers directly, past every link. It fails if none
	// leads. The error is topology.ErrNotApplicable if the servers are equals.
	Leader(ctx context.Context) (string, error)
	// Version is what the servers call themselves ("7.0.15").
	Version() string
	// Stop ends the servers for good, also those that are suspended; their logs stay. Idempotent.
	Stop() error
}

// cluster is what the clusters of all recipes have in common. By itself it is a cluster of equals.
type cluster struct {
	nodes   []Node
	servers []*server // of the nodes, in their order
	version string
	as      drivers.Credentials
}

// add adds a node that listens at addr. s is the server of its process.
func (c *cluster) add(addr string, process Server, s *server) {
	c.nodes = append(c.nodes, Node{Name: topology.Name(len(c.nodes)), Addr: addr, Process: process})
	c.servers = append(c.servers, s)
}

// begin starts all servers and returns once they serve.
func (c *cluster) begin(ctx context.Context) error {
	return InParallel(len(c.servers), func(i int) error { return c.servers[i].begin(ctx) })
}

// Nodes implements Cluster.
func (c *cluster) Nodes() []Node { return slices.Clone(c.nodes) }

// Credentials implements Cluster.
func (c *cluster) Credentials() drivers.Credentials { return c.as }

// Leader implements Cluster.
func (c *cluster) Leader(context.Context) (string, error) {
	return "", topology.NotApplicable("no server leads the others")
}

// Version implements Cluster.
func (c *cluster) Version() string { return c.version }

// Stop implements Cluster.
func (c *cluster) Stop() error {
	return InParallel(len(c.servers), func(i int) error { return c.servers[i].stop() })
}

// Spec says what to start.
type Spec struct {
	// Name tells the clusters of a run apart ("redis-setnx"); it names directories.
	Name  string
	Nodes int
	Host  provision.Host
	// Peer makes the links between servers that talk to each other, one for each ordered pair and port.
	Peer PeerLink
	// LogDir is a directory of this machine. It receives one log per server ("redis-setnx-n1.log").
	LogDir string
	// TTL is the run's lease length; ZooKeeper derives its tick from it.
	TTL time.Duration
	// Connections is how many each server must take at once from clients; 0: no more than its recipe takes anyway.
	Connections int
	// Durable has Redis write every command to disk before it answers, which the others always do.
	Durable bool
}

// PeerLink makes the link that node from ("n1") dials to reach node to ("n2"): it listens at listen ("ip:port",
// chosen by the backend, an address of this ordered pair alone) and forwards to upstream, where to listens. A
// pair with several ports has several links, all cut together.
type PeerLink func(from, to, listen, upstream string) error

// LogPath is where the log of node i goes.
func (s Spec) LogPath(i int) string {
	return filepath.Join(s.LogDir, fmt.Sprintf("%s-%s.log", s.Name, topology.Name(i)))
}

// listen listens where the host's processes can dial, on an IP of its own and the port of addr. name is for errors.
func (s Spec) listen(name, addr string) (net.Listener, error) {
	at, err := s.linkTo(name, addr)
	if err != nil {
		return nil, err
	}
	ln, err := s.Host.Listen(at[0])
	if err != nil {
		return nil, fmt.Errorf("listen for the %s: %w", name, err)
	}
	return ln, nil
}

// linkTo returns where links to addrs listen: on one IP of their own, and at the same ports. name is for errors.
func (s Spec) linkTo(name string, addrs ...string) ([]string, error) {
	ip, err := s.Host.LinkIP(name)
	if err != nil {
		return nil, err
	}
	links := make([]string, len(addrs))
	for i, addr := range addrs {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		links[i] = net.JoinHostPort(ip, port)
	}
	return links, nil
}

// Backend starts clusters of one kind.
type Backend interface {
	Name() drivers.Backend
	// Detect returns the version of the servers that can be started there, or an error that says what is missing and
	// how to install it.
	Detect(ctx context.Context, on provision.Programs) (version string, err error)
	// Start starts the nodes in parallel and returns once they serve, or what kept them from it with the last
	// lines of the log. On an error, or when ctx ends, nothing is left running.
	Start(ctx context.Context, spec Spec) (Cluster, error)
}

// WaitReady calls probe until it returns nil. It gives up when the process ends (with its last log lines),
// or when ctx does (with probe's last error).
func WaitReady(ctx context.Context, name string, p provision.Process, probe func(context.Context) error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := probe(attempt)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-p.Exited():
			if cause := p.Err(); cause != nil {
				return cause
			}
			return fmt.Errorf("%s ended before it was ready", name)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (last probe: %w); its last log lines:\n%s", name, ctx.Err(), err, p.LogTail(8))
		case <-tick.C:
		}
	}
}

// InParallel calls f for 0 … n-1 at once and returns the first error by index.
func InParallel(n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
