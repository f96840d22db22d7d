package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"

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
	servers []*redisServer
	version string
}

// redisServer is one master.
type redisServer struct {
	*server
	node    Node
	durable bool
}

// Start implements Backend.
func (b Redis) Start(ctx context.Context, spec Spec) (Cluster, error) {
	path, err := redisPath()
	if err != nil {
		return nil, err
	}
	c := &redisCluster{servers: make([]*redisServer, spec.Nodes)}
	for i := range c.servers {
		if c.servers[i], err = newRedis(spec, path, i); err != nil {
			return nil, fmt.Errorf("start Redis: %w", err)
		}
	}
	err = InParallel(spec.Nodes, func(i int) error { return c.servers[i].begin(ctx) })
	if err == nil {
		c.version, err = askRedis(ctx, c.servers[0].node.Addr)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start Redis: %w", err), c.Stop())
	}
	return c, nil
}

func newRedis(spec Spec, path string, i int) (*redisServer, error) {
	name := "redis " + spec.Name + " " + NodeName(i)
	addr, err := spec.Agent.Address(name)
	if err != nil {
		return nil, err
	}
	dir, err := spec.Agent.Dir(spec.Name + "-" + NodeName(i))
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	args := []string{"--bind", host, "--port", port, "--dir", dir, "--daemonize", "no", "--save", ""}
	if spec.Durable {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always")
	} else {
		// A lock's key lives for seconds: nobody who locks with Redis lets it write snapshots for that. With
		// appendonly a lock would survive a restart, and cost an fsync a second.
		args = append(args, "--appendonly", "no")
	}
	s := &redisServer{durable: spec.Durable, server: &server{
		agent:   spec.Agent,
		command: agent.Command{Name: name, Path: path, Args: args, Dir: dir, Log: spec.LogPath(i)},
		serves: func(ctx context.Context) error {
			_, err := askRedis(ctx, addr)
			return err
		},
	}}
	s.node = Node{Name: NodeName(i), Addr: addr, Process: s}
	return s, nil
}

// askRedis asks a server for its version. One that still loads its data refuses.
func askRedis(ctx context.Context, addr string) (version string, err error) {
	// go-redis announces every failed dial on standard error: it is asked once somebody listens.
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	if err := conn.Close(); err != nil {
		return "", err
	}
	client := redisclient.New(addr)
	if err := client.Ping(ctx).Err(); err != nil {
		return "", errors.Join(err, client.Close())
	}
	info, err := client.InfoMap(ctx, "server").Result()
	return info["Server"]["redis_version"], errors.Join(err, client.Close())
}

// Durable says whether the server comes back from a kill with all that it acknowledged.
func (s *redisServer) Durable() error {
	if s.durable {
		return nil
	}
	return errors.New("Redis that does not write to disk loses its data when it is killed")
}

// Wipe removes the data of a server that was killed.
func (s *redisServer) Wipe() error {
	if err := s.wipeable(); err != nil {
		return err
	}
	return emptyDir(s.command.Dir)
}

// Nodes implements Cluster.
func (c *redisCluster) Nodes() []Node {
	nodes := make([]Node, len(c.servers))
	for i, s := range c.servers {
		nodes[i] = s.node
	}
	return nodes
}

// Leader implements Cluster.
func (c *redisCluster) Leader(context.Context) (string, error) { return "", ErrNoLeaderRole }

// Version implements Cluster.
func (c *redisCluster) Version() string { return c.version }

// Stop implements Cluster.
func (c *redisCluster) Stop() error {
	return InParallel(len(c.servers), func(i int) error { return c.servers[i].stop(syscall.SIGTERM) })
}
