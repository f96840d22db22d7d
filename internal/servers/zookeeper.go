package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/provision"
)

// ZooKeeper starts an ensemble: one Java virtual machine a server.
type ZooKeeper struct{}

// Name implements Backend.
func (ZooKeeper) Name() drivers.Backend { return drivers.ZooKeeper }

// zookeeperJars is where the packages of the distributions put jar files.
const zookeeperJars = "/usr/share/java"

// javaQuickStart halves the processor time that a virtual machine takes to start, which matters when all servers of a
// run start at once. It selects the simplest compiler and garbage collector, and a small heap that is enough for a
// few locks.
var javaQuickStart = []string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xms64m", "-Xmx128m"}

// zookeeperJava is the java to run and the arguments before the class.
func zookeeperJava(on provision.Programs) (path string, args []string, err error) {
	const install = "apt-get install zookeeper default-jre-headless"
	java := on.Find("java")
	if len(java) == 0 {
		return "", nil, fmt.Errorf("java is not installed: %s", install)
	}
	jar := filepath.Join(zookeeperJars, "zookeeper.jar") // it names the jars that it needs
	if !on.Exists(jar) {
		return "", nil, fmt.Errorf("ZooKeeper is not installed (no %s): %s", jar, install)
	}
	// The logger is a package of its own. Without it the servers run and log nothing.
	logger := filepath.Join(zookeeperJars, "slf4j-simple.jar")
	return java[0], append([]string{"-cp", jar + string(filepath.ListSeparator) + logger}, javaQuickStart...), nil
}

// Detect implements Backend.
func (ZooKeeper) Detect(ctx context.Context, on provision.Programs) (string, error) {
	path, args, err := zookeeperJava(on)
	if err != nil {
		return "", err
	}
	out, err := on.Output(ctx, path, append(args, "org.apache.zookeeper.version.VersionInfoMain")...)
	if err != nil {
		return "", fmt.Errorf("ask ZooKeeper for its version: %w", err)
	}
	_, rest, _ := strings.Cut(out, "version ") // "Apache ZooKeeper, version 3.8.0 2024-12-29 17:54 UTC"
	if fields := strings.Fields(rest); len(fields) > 0 {
		return fields[0], nil
	}
	return "", fmt.Errorf("ZooKeeper calls itself %q, which names no version", out)
}

type zookeeperCluster struct {
	cluster
	members []*zookeeperServer
	relays  []*peerRelay
}

// Start implements Backend.
//
// Every server has its own configuration. In it the addresses of the others are those of its links to them. So a
// single pair can be cut.
func (b ZooKeeper) Start(ctx context.Context, spec Spec) (Cluster, error) {
	path, args, err := zookeeperJava(spec.Host)
	if err != nil {
		return nil, err
	}
	c := &zookeeperCluster{cluster: cluster{as: drivers.Credentials{User: "lockbench", Password: rand.Text()}}}
	if c.members, err = zookeeperServers(spec); err != nil {
		return nil, fmt.Errorf("start ZooKeeper: %w", err)
	}
	for i, s := range c.members {
		if err := s.prepare(spec, path, args, i); err != nil {
			return nil, fmt.Errorf("start ZooKeeper: %w", err)
		}
		c.add(s.client, s, s.server)
	}
	if spec.Peer != nil {
		c.relays, err = zookeeperLinks(spec, c.members)
	}
	if err == nil {
		err = c.begin(ctx)
	}
	if err == nil {
		var st zookeeperStatus
		st, err = askZooKeeper(ctx, c.members[0].client)
		c.version = st.version
	}
	if err == nil {
		err = c.seal(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start ZooKeeper: %w", err), c.Stop())
	}
	return c, nil
}

// prepare writes the configuration of the i-th server, and says how to start it.
func (s *zookeeperServer) prepare(spec Spec, path string, args []string, i int) error {
	config, err := s.write(spec.Host, spec.TTL)
	if err != nil {
		return err
	}
	s.server = &server{
		host: spec.Host,
		command: provision.Command{
			Name: "zookeeper " + spec.Name + " " + s.name, Path: path, Dir: s.dir, Log: spec.LogPath(i),
			Args: append(append([]string(nil), args...),
				// A server that looks for a leader asks less and less often, down to once a minute. That is too slow
				// for a run.
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

// seal takes the nodes that every ZooKeeper has away from all who do not know the credentials.
func (c *zookeeperCluster) seal(ctx context.Context) error {
	return inZooKeeper(ctx, c.members[0].client, func(conn *zk.Conn) error {
		if err := conn.AddAuth("digest", []byte(c.as.User+":"+c.as.Password)); err != nil {
			return fmt.Errorf("authenticate at ZooKeeper: %w", err)
		}
		const anyVersion = -1
		for _, path := range []string{"/", "/zookeeper", "/zookeeper/quota"} { // where anybody could make nodes
			if _, err := conn.SetACL(path, zk.DigestACL(zk.PermAll, c.as.User, c.as.Password), anyVersion); err != nil {
				return fmt.Errorf("close ZooKeeper's node %s to strangers: %w", path, err)
			}
		}
		return nil
	})
}

// Durable says that the server comes back from a kill with all that it acknowledged.
func (*zookeeperServer) Durable() error { return nil }

// Wipe removes the data of a server that was killed, as if its disk was replaced. The server keeps its number and its
// place in the ensemble, and gets the data again from the leader.
func (s *zookeeperServer) Wipe() error {
	if err := s.wipeable(); err != nil {
		return err
	}
	return s.host.Empty(s.dir, zookeeperConfigFile, zookeeperNumberFile)
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

// askZooKeeper sends a server the command "srvr", which it answers by itself. A server without a quorum is an error.
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

// zookeeperServes returns nil if the server has a quorum and makes sessions. A session takes a transaction.
func zookeeperServes(ctx context.Context, addr string) error {
	if _, err := askZooKeeper(ctx, addr); err != nil {
		return err
	}
	return inZooKeeper(ctx, addr, func(*zk.Conn) error { return nil })
}

// zookeeperAnswers returns nil if the server answers its clients, with or without a quorum.
func zookeeperAnswers(ctx context.Context, addr string) error {
	answer, err := fourLetters(ctx, addr, "ruok")
	if err == nil && answer != "imok" {
		return fmt.Errorf("the server at %s answers %q", addr, answer)
	}
	return err
}

// Leader implements Cluster. A leader that was cut off claims for some ticks that it still leads. Of several that
// claim it, the one of the latest epoch leads.
func (c *zookeeperCluster) Leader(ctx context.Context) (string, error) {
	answers := make([]zookeeperStatus, len(c.members))
	errs := make([]error, len(c.members))
	_ = InParallel(len(c.members), func(i int) error {
		attempt, cancel := context.WithTimeout(ctx, time.Second) // a paused server accepts and says nothing
		defer cancel()
		var err error
		if answers[i], err = askZooKeeper(attempt, c.members[i].client); err != nil {
			errs[i] = fmt.Errorf("ask %s: %w", c.members[i].name, err)
		}
		return nil
	})
	leader, epoch := "", uint64(0)
	for i, a := range answers {
		if a.mode == "leader" && a.epoch > epoch {
			leader, epoch = c.members[i].name, a.epoch
		}
	}
	if leader == "" {
		return "", errors.Join(append([]error{errors.New("no server of ZooKeeper leads")}, errs...)...)
	}
	return leader, nil
}

// Stop implements Cluster.
func (c *zookeeperCluster) Stop() error {
	errs := []error{c.cluster.Stop()}
	for _, r := range c.relays {
		errs = append(errs, r.close())
	}
	c.relays = nil
	return errors.Join(errs...)
}
