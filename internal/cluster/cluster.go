// Package cluster starts the real servers behind the locks: one file per backend. A cluster's servers are
// child processes on loopback, each with a data directory and addresses of its own.
package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/agent"
)

// Node is one server of a cluster.
type Node struct {
	// Name is "n1", "n2", … in the order of the driver's addresses.
	Name string
	// Addr is where the server itself listens for clients ("ip:port"), not the link to it.
	Addr string
	// Process is the server. Some can do more: Durable() error, Wipe() error, OutsideModel() string, as faults know them.
	Process Server
}

// Cluster is a set of running servers that are ready to serve.
type Cluster interface {
	Nodes() []Node
	// Leader names the node that leads now ("n2"); an error if none does, or if the backend knows no leader
	// (ErrNoLeaderRole). It asks the servers directly, past every link.
	Leader(ctx context.Context) (string, error)
	// Version is what the servers call themselves ("7.0.15").
	Version() string
	// Stop ends the servers for good, also those that are suspended; their logs stay. Idempotent.
	Stop() error
}

// ErrNoLeaderRole says that the backend's servers are equals.
var ErrNoLeaderRole = fmt.Errorf("no leader role: the servers are equals")

// Spec says what to start.
type Spec struct {
	// Name tells the clusters of a run apart ("redis-setnx"); it names directories.
	Name  string
	Nodes int
	Agent agent.Agent
	// Peer makes the links between servers that talk to each other, one for each ordered pair and port.
	Peer PeerLink
	// LogDir receives a log a server ("redis-setnx-n1.log").
	LogDir string
	// TTL is the run's lease length; ZooKeeper derives its tick from it.
	TTL time.Duration
	// Durable has Redis write every command to disk before it answers, which the others always do.
	Durable bool
}

// PeerLink makes the link that node from ("n1") dials to reach node to ("n2"): it listens at listen ("ip:port",
// chosen by the backend, an address of this ordered pair alone) and forwards to upstream, where to listens. A
// pair with several ports has several links, all cut together.
type PeerLink func(from, to, listen, upstream string) error

// NodeName is the name of the i-th node, from 0.
func NodeName(i int) string { return fmt.Sprintf("n%d", i+1) }

// LogPath is where the log of node i goes.
func (s Spec) LogPath(i int) string {
	return filepath.Join(s.LogDir, fmt.Sprintf("%s-%s.log", s.Name, NodeName(i)))
}

// Backend starts clusters of one kind.
type Backend interface {
	Name() drivers.Backend
	// Detect says whether the servers can be started here: their version, or an error that says what is
	// missing and how to install it.
	Detect(ctx context.Context) (version string, err error)
	// Start starts the nodes in parallel and returns once they serve, or what kept them from it with the last
	// lines of the log. On an error, or when ctx ends, nothing is left running.
	Start(ctx context.Context, spec Spec) (Cluster, error)
}

// WaitReady calls probe until it returns nil. It gives up when the process ends (with its last log lines),
// or when ctx does (with probe's last error).
func WaitReady(ctx context.Context, name string, p *agent.Process, probe func(context.Context) error) error {
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

// lookPath finds an executable on PATH or in one of the directories that packages keep off it (glob patterns).
func lookPath(name string, dirs ...string) (string, error) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), dirs...) {
		matches, err := filepath.Glob(filepath.Join(dir, name))
		if err != nil {
			return "", fmt.Errorf("look for %s: %w", name, err)
		}
		for _, m := range matches {
			if st, err := os.Stat(m); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
				return m, nil
			}
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}
