package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/topology"
)

// Redis starts independent masters: one for a plain lock, five for Redlock.
type Redis struct{}

// Name implements Backend.
func (Redis) Name() drivers.Backend { return drivers.Redis }

// Detect implements Backend.
func (Redis) Detect(ctx context.Context, on provision.Programs) (string, error) {
	path, err := redisPath(on)
	if err != nil {
		return "", err
	}
	out, err := on.Output(ctx, path, "--version")
	if err != nil {
		return "", fmt.Errorf("ask Redis for its version: %w", err)
	}
	for _, field := range strings.Fields(out) { // "Redis server v=7.0.15 sha=00000000:0 malloc=…"
		if version, ok := strings.CutPrefix(field, "v="); ok {
			return version, nil
		}
	}
	return "", fmt.Errorf("%s calls itself %q, which names no version", path, out)
}

func redisPath(on provision.Programs) (string, error) {
	found := on.Find("redis-server", "/usr/local/bin", "/usr/local/sbin")
	if len(found) == 0 {
		return "", errors.New("redis-server is not installed: apt-get install redis-server")
	}
	return found[0], nil
}

// redisServer is one master.
type redisServer struct {
	*server
	addr    string
	durable bool
}

// redisConfigFile is in the server's directory, and is not its data. The password is there because everybody can read
// a command line.
const redisConfigFile = "redis.conf"

// Start implements Backend.
func (b Redis) Start(ctx context.Context, spec Spec) (Cluster, error) {
	path, err := redisPath(spec.Host)
	if err != nil {
		return nil, err
	}
	c := &cluster{as: drivers.Credentials{Password: rand.Text()}}
	for i := range spec.Nodes {
		s, err := newRedis(spec, path, c.as, i)
		if err != nil {
			return nil, fmt.Errorf("start Redis: %w", err)
		}
		c.add(s.addr, s, s.server)
	}
	if err = c.begin(ctx); err == nil {
		c.version, err = askRedis(ctx, c.nodes[0].Addr, c.as)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start Redis: %w", err), c.Stop())
	}
	return c, nil
}

func newRedis(spec Spec, path string, as drivers.Credentials, i int) (*redisServer, error) {
	name := "redis " + spec.Name + " " + topology.Name(i)
	addrs, err := spec.Host.Addresses(name, 1)
	if err != nil {
		return nil, err
	}
	addr := addrs[0]
	dir, err := spec.Host.Dir(spec.Name+"-"+topology.Name(i), nil)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, redisConfigFile)
	if err := spec.Host.Write(config, []byte("requirepass "+as.Password+"\n")); err != nil {
		return nil, fmt.Errorf("write the configuration of %s: %w", name, err)
	}
	args := []string{config, "--bind", host, "--port", port, "--dir", dir, "--daemonize", "no", "--save", "", "--maxclients", strconv.Itoa(max(10000, spec.Connections+50))}
	if spec.Durable {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always")
	} else {
		// A lock's key lives for seconds, so nobody has Redis write snapshots for locks. With appendonly a lock would
		// survive a restart, at the cost of an fsync per second.
		args = append(args, "--appendonly", "no")
	}
	return &redisServer{addr: addr, durable: spec.Durable, server: &server{
		host:    spec.Host,
		command: provision.Command{Name: name, Path: path, Args: args, Dir: dir, Log: spec.LogPath(i)},
		serves: func(ctx context.Context) error {
			_, err := askRedis(ctx, addr, as)
			return err
		},
	}}, nil
}

// RedisConfig is how to connect to a server of this package at addr ("host:port"). Nothing is retried.
func RedisConfig(addr string, as drivers.Credentials) *redis.Options {
	return &redis.Options{
		Addr: addr, Username: as.User, Password: as.Password,
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true, DisableIdentity: true,
	}
}

// askRedis asks a server for its version. One that still loads its data refuses.
func askRedis(ctx context.Context, addr string, as drivers.Credentials) (version string, err error) {
	// go-redis logs every failed dial to standard error, so it is used only once the server listens.
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	if err := conn.Close(); err != nil {
		return "", err
	}
	client := redis.NewClient(RedisConfig(addr, as))
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
	return s.host.Empty(s.command.Dir, redisConfigFile)
}
