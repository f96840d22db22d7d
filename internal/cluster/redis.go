package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/redisclient"
)

// Redis starts independent masters: one for a plain lock, five for Redlock.
type Redis struct{}

// Name implements Backend.
func (Redis) Name() drivers.Backend { return drivers.Redis }

// Detect implements Backend.
func (Redis) Detect(ctx context.Context) (string, error) {
	path, err := redisPath()
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", path, err)
	}
	for _, field := range strings.Fields(string(out)) { // "Redis server v=7.0.15 sha=00000000:0 malloc=…"
		if version, ok := strings.CutPrefix(field, "v="); ok {
			return version, nil
		}
	}
	return "", fmt.Errorf("%s calls itself %q, which names no version", path, out)
}

func redisPath() (string, error) {
	path, err := lookPath("redis-server", "/usr/local/bin", "/usr/local/sbin")
	if err != nil {
		return "", fmt.Errorf("%w: apt-get install redis-server", err)
	}
	return path, nil
}

type redisCluster struct {
	nodes   []Node
	version string
}

// Start implements Backend.
func (b Redis) Start(ctx context.Context, spec Spec) (Cluster, error) {
	path, err := redisPath()
	if err != nil {
		return nil, err
	}
	c := &redisCluster{nodes: make([]Node, spec.Nodes)}
	versions := make([]string, spec.Nodes)
	err = InParallel(spec.Nodes, func(i int) error {
		var err error
		c.nodes[i], versions[i], err = startRedis(ctx, spec, path, i)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start Redis: %w", err), c.Stop())
	}
	c.version = versions[0]
	return c, nil
}

func startRedis(ctx context.Context, spec Spec, path string, i int) (node Node, version string, err error) {
	node.Name = NodeName(i)
	name := "redis " + spec.Name + " " + node.Name
	if node.Addr, err = spec.Agent.Address(name); err != nil {
		return node, "", err
	}
	dir, err := spec.Agent.Dir(spec.Name + "-" + node.Name)
	if err != nil {
		return node, "", err
	}
	host, port, err := net.SplitHostPort(node.Addr)
	if err != nil {
		return node, "", err
	}
	node.Process, err = spec.Agent.Start(agent.Command{
		Name: name, Path: path, Dir: dir, Log: spec.LogPath(i),
		Args: []string{
			"--bind", host, "--port", port, "--dir", dir, "--daemonize", "no",
			// A lock's key lives for seconds: nobody who locks with Redis lets it write snapshots for that. With
			// appendonly a lock would survive a restart, and cost an fsync a second.
			"--save", "", "--appendonly", "no",
		},
	})
	if err != nil {
		return node, "", err
	}
	client := redisclient.New(node.Addr)
	var dialer net.Dialer
	err = WaitReady(ctx, name, node.Process, func(ctx context.Context) error {
		// go-redis announces every failed dial on standard error: it is asked once somebody listens.
		conn, err := dialer.DialContext(ctx, "tcp", node.Addr)
		if err != nil {
			return err
		}
		if err := conn.Close(); err != nil {
			return err
		}
		info, err := client.InfoMap(ctx, "server").Result()
		version = info["Server"]["redis_version"]
		return err
	})
	return node, version, errors.Join(err, client.Close())
}

// Nodes implements Cluster.
func (c *redisCluster) Nodes() []Node { return c.nodes }

// Leader implements Cluster.
func (c *redisCluster) Leader(context.Context) (string, error) { return "", ErrNoLeaderRole }

// Version implements Cluster.
func (c *redisCluster) Version() string { return c.version }

// Stop implements Cluster.
func (c *redisCluster) Stop() error {
	return InParallel(len(c.nodes), func(i int) error {
		if c.nodes[i].Process == nil {
			return nil
		}
		return c.nodes[i].Process.Stop(syscall.SIGTERM, 2*time.Second)
	})
}
