package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/agent"
)

// ZooKeeper starts an ensemble: one Java virtual machine a server.
type ZooKeeper struct{}

// Name implements Backend.
func (ZooKeeper) Name() drivers.Backend { return drivers.ZooKeeper }

// zookeeperJars is where the packages of the distributions put jar files.
const zookeeperJars = "/usr/share/java"

// javaQuickStart makes the virtual machine start in half the processor time, which counts when all servers of a
// run start at once: the simplest compiler and garbage collector, and a heap that a few locks never fill.
var javaQuickStart = []string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xms64m", "-Xmx128m"}

// zookeeperJava is the java to run and the arguments before the class.
func zookeeperJava() (path string, args []string, err error) {
	const install = "apt-get install zookeeper default-jre-headless"
	path, err = lookPath("java")
	if err != nil {
		return "", nil, fmt.Errorf("%w: %s", err, install)
	}
	jar := filepath.Join(zookeeperJars, "zookeeper.jar") // it names the jars that it needs
	if _, err := os.Stat(jar); err != nil {
		return "", nil, fmt.Errorf("ZooKeeper is not installed (no %s): %s", jar, install)
	}
	// Without a logger, which is a package of its own, the servers run and say nothing.
	logger := filepath.Join(zookeeperJars, "slf4j-simple.jar")
	return path, append([]string{"-cp", jar + string(filepath.ListSeparator) + logger}, javaQuickStart...), nil
}

// Detect implements Backend.
func (ZooKeeper) Detect(ctx context.Context) (string, error) {
	path, args, err := zookeeperJava()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, append(args, "org.apache.zookeeper.version.VersionInfoMain")...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask ZooKeeper for its version: %w: %s", err, stderr.String())
	}
	_, rest, _ := strings.Cut(string(out), "version ") // "Apache ZooKeeper, version 3.8.0 2024-12-29 17:54 UTC"
	if fields := strings.Fields(rest); len(fields) > 0 {
		return fields[0], nil
	}
	return "", fmt.Errorf("ZooKeeper calls itself %q, which names no version", out)
}

type zookeeperCluster struct {
	servers []*zookeeperServer
	version string
	relays  []*peerRelay
}

// Start implements Backend.
//
// Every server has a configuration of its own, in which the others' addresses are those of its links to them: that
// is how one pair can be cut and no other.
func (b ZooKeeper) Start(ctx context.Context, spec Spec) (Cluster, error) {
	path, args, err := zookeeperJava()
	if err != nil {
		return nil, err
	}
	c := &zookeeperCluster{}
	if c.servers, err = zookeeperServers(spec); err != nil {
		return nil, fmt.Errorf("start ZooKeeper: %w", err)
	}
	for i, s := range c.servers {
		if err := s.prepare(spec, path, args, i); err != nil {
			return nil, fmt.Errorf("start ZooKeeper: %w", err)
		}
	}
	if spec.Peer != nil {
		c.relays, err = zookeeperLinks(spec, c.servers)
	}
	if err == nil {
		err = InParallel(spec.Nodes, func(i int) error { return c.servers[i].begin(ctx) })
	}
	if err == nil {
		var st zookeeperStatus
		st, err = askZooKeeper(ctx, c.servers[0].client)
		c.version = st.version
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start ZooKeeper: %w", err), c.Stop())
	}
	return c, nil
}

// prepare writes the configuration of the i-th server, and says how to start it.
func (s *zookeeperServer) prepare(spec Spec, path string, args []string, i int) error {
	config, err := s.write(spec.TTL)
	if err != nil {
		return err
	}
	s.server = &server{
		agent: spec.Agent,
		command: agent.Command{
			Name: "zookeeper " + spec.Name + " " + s.name, Path: path, Dir: s.dir, Log: spec.LogPath(i),
			Args: append(append([]string(nil), args...),
				// A server that looks for a leader asks ever more rarely, down to once a minute; a run has no minute.
				"-Dzookeeper.fastleader.maxNotificationInterval=1000",
				"-Dzookeeper.jmx.log4j.disable=true",
				"-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
				"-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper.server.NIOServerCnxn=warn", // every question of ours
				"-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper.server.ZooKeeperServer=warn",
				"org.apache.zookeeper.server.quorum.QuorumPeerMain", config),
		},
		serves:  func(ctx context.Context) error { return zookeeperServes(ctx, s.client) },
		answers: func(ctx context.Context) error { return zookeeperAnswers(ctx, s.client) },
	}
	return nil
}

// Durable says that the server comes back from a kill with all that it acknowledged.
func (*zookeeperServer) Durable() error { return nil }

// Wipe removes the data of a server that was killed. It keeps its number and its place in the ensemble, as after a
// disk was replaced: the leader gives it the data again.
func (s *zookeeperServer) Wipe() error {
	if err := s.wipeable(); err != nil {
		return err
	}
	return emptyDir(s.dir, zookeeperConfigFile, zookeeperNumberFile)
}

// OutsideModel says why a server that comes back without its data is more than ZooKeeper promises to survive.
func (*zookeeperServer) OutsideModel() string {
	return "a ZooKeeper server that comes back empty under its number has forgotten what it acknowledged, and ZAB counts on it to remember"
}

// zookeeperStatus is what a server says of itself.
type zookeeperStatus struct {
	version string
	mode    string // "leader" or "follower"
	epoch   uint64 // of the last transaction; each leader begins a new one
}

// askZooKeeper asks a server by the command "srvr", which it answers itself. A server without a quorum is an error.
func askZooKeeper(ctx context.Context, addr string) (zookeeperStatus, error) {
	out, err := fourLetters(ctx, addr, "srvr")
	if err != nil {
		return zookeeperStatus{}, err
	}
	var st zookeeperStatus
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Zookeeper version": // "3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on 2022-02-25 08:49 UTC"
			st.version, _, _ = strings.Cut(value, "-")
		case "Zxid": // "0x100000006": the epoch, and a count of 32 bits
			zxid, err := strconv.ParseUint(value, 0, 64)
			if err != nil {
				return st, fmt.Errorf("the server at %s answers %q: %w", addr, line, err)
			}
			st.epoch = zxid >> 32
		case "Mode":
			st.mode = value
		}
	}
	if st.mode == "" {
		return st, fmt.Errorf("the server at %s answers %q", addr, strings.TrimSpace(out))
	}
	return st, nil
}

// fourLetters sends a server one of its commands, and returns the answer.
func fourLetters(ctx context.Context, addr, command string) (string, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	if _, err := conn.Write([]byte(command)); err != nil {
		return "", err
	}
	out, err := io.ReadAll(io.LimitReader(conn, 64<<10))
	return string(out), err
}

// zookeeperServes reports whether the server has a quorum and makes sessions, which takes a transaction.
func zookeeperServes(ctx context.Context, addr string) error {
	if _, err := askZooKeeper(ctx, addr); err != nil {
		return err
	}
	return zookeeperSession(ctx, addr)
}

// zookeeperAnswers reports whether the server listens to its clients, with or without a quorum.
func zookeeperAnswers(ctx context.Context, addr string) error {
	answer, err := fourLetters(ctx, addr, "ruok")
	if err == nil && answer != "imok" {
		return fmt.Errorf("the server at %s answers %q", addr, answer)
	}
	return err
}

// Nodes implements Cluster.
func (c *zookeeperCluster) Nodes() []Node {
	nodes := make([]Node, len(c.servers))
	for i, s := range c.servers {
		nodes[i] = Node{Name: s.name, Addr: s.client, Process: s}
	}
	return nodes
}

// Version implements Cluster.
func (c *zookeeperCluster) Version() string { return c.version }

// Leader implements Cluster. A leader that was cut off says for some ticks that it leads, as does its successor by
// then: that of the later epoch does.
func (c *zookeeperCluster) Leader(ctx context.Context) (string, error) {
	answers := make([]zookeeperStatus, len(c.servers))
	errs := make([]error, len(c.servers))
	_ = InParallel(len(c.servers), func(i int) error {
		attempt, cancel := context.WithTimeout(ctx, time.Second) // a paused server accepts and says nothing
		defer cancel()
		var err error
		if answers[i], err = askZooKeeper(attempt, c.servers[i].client); err != nil {
			errs[i] = fmt.Errorf("ask %s: %w", c.servers[i].name, err)
		}
		return nil
	})
	leader, epoch := "", uint64(0)
	for i, a := range answers {
		if a.mode == "leader" && a.epoch > epoch {
			leader, epoch = c.servers[i].name, a.epoch
		}
	}
	if leader == "" {
		return "", errors.Join(append([]error{errors.New("no server of ZooKeeper leads")}, errs...)...)
	}
	return leader, nil
}

// Stop implements Cluster.
func (c *zookeeperCluster) Stop() error {
	err := InParallel(len(c.servers), func(i int) error { return c.servers[i].stop(syscall.SIGTERM) })
	errs := []error{err}
	for _, r := range c.relays {
		errs = append(errs, r.close())
	}
	c.relays = nil
	return errors.Join(errs...)
}
