package cluster

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

// zookeeperServer is one server's place in the ensemble.
type zookeeperServer struct {
	*server
	name, dir string
	id        int
	client    string
	own       peerAddrs   // where it listens for the others
	peers     []peerAddrs // where it dials each, by index: its links; itself among them
}

// The files of a server's directory that are not its data.
const (
	zookeeperConfigFile = "zoo.cfg"
	zookeeperNumberFile = "myid"
)

// peerAddrs are the two addresses of a server for its peers, on one host.
type peerAddrs struct{ quorum, election string }

// zookeeperServers chooses the addresses of all servers.
func zookeeperServers(spec Spec) ([]*zookeeperServer, error) {
	servers := make([]*zookeeperServer, spec.Nodes)
	for i := range servers {
		s := &zookeeperServer{name: NodeName(i), id: i + 1, peers: make([]peerAddrs, spec.Nodes)}
		addrs, err := freeAddrs(spec, "zookeeper "+spec.Name+" "+s.name, 3)
		if err != nil {
			return nil, err
		}
		s.client, s.own = addrs[0], peerAddrs{quorum: addrs[1], election: addrs[2]}
		if s.dir, err = spec.Agent.Dir(spec.Name + "-" + s.name); err != nil {
			return nil, err
		}
		servers[i] = s
	}
	for _, from := range servers {
		for j, to := range servers {
			from.peers[j] = to.own
			if from == to || spec.Peer == nil {
				continue
			}
			addrs, err := freeAddrs(spec, "link "+from.name+"→"+to.name, 2)
			if err != nil {
				return nil, err
			}
			from.peers[j] = peerAddrs{quorum: addrs[0], election: addrs[1]}
		}
	}
	return servers, nil
}

// zookeeperLinks opens the links between all servers, and the relays behind them, which are to be closed even on an error.
func zookeeperLinks(spec Spec, servers []*zookeeperServer) (relays []*peerRelay, err error) {
	for i, from := range servers {
		for j, to := range servers {
			if from == to {
				continue
			}
			addrs, err := freeAddrs(spec, "relay "+from.name+"→"+to.name, 2)
			if err != nil {
				return relays, err
			}
			quorum, err := newQuorumRelay(addrs[0], to.own.quorum)
			if err != nil {
				return relays, err
			}
			relays = append(relays, quorum)
			if err := spec.Peer(from.name, to.name, from.peers[j].quorum, addrs[0]); err != nil {
				return relays, err
			}
			upstream := to.own.election
			if from.id < to.id {
				election, err := newElectionRelay(addrs[1], upstream, to.peers[i].election)
				if err != nil {
					return relays, err
				}
				relays = append(relays, election)
				upstream = addrs[1]
			}
			if err := spec.Peer(from.name, to.name, from.peers[j].election, upstream); err != nil {
				return relays, err
			}
		}
	}
	return relays, nil
}

// freeAddrs returns n free addresses of a host of their own.
func freeAddrs(spec Spec, name string, n int) ([]string, error) {
	host, err := spec.Agent.Host(name)
	if err != nil {
		return nil, err
	}
	addrs := make([]string, n)
	for i := range addrs {
		ln, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, fmt.Errorf("find a free port for %s: %w", name, err)
		}
		defer ln.Close() // after all are found, so that they differ
		addrs[i] = ln.Addr().String()
	}
	return addrs, nil
}

// write writes the configuration and returns its path. What it does not set is as ZooKeeper ships it, fsync included.
func (s *zookeeperServer) write(ttl time.Duration) (string, error) {
	host, port, err := net.SplitHostPort(s.client)
	if err != nil {
		return "", err
	}
	tick := zookeeperTick(ttl)
	lines := []string{
		"tickTime=" + strconv.FormatInt(tick.Milliseconds(), 10),
		"initLimit=" + strconv.FormatInt(max(10, int64(5*time.Second/tick)), 10), // 10 of its own 2 s ticks are far more
		"syncLimit=5",
		"dataDir=" + s.dir,
		"clientPort=" + port,
		"clientPortAddress=" + host,
		// The time-out that a client asks for is the one that it gets.
		"minSessionTimeout=" + strconv.FormatInt((2*tick).Milliseconds(), 10),
		"maxSessionTimeout=" + strconv.FormatInt((time.Hour).Milliseconds(), 10),
		"maxClientCnxns=0", // all clients come from one address
		"admin.enableServer=false",
		"4lw.commands.whitelist=srvr,mntr,ruok",
	}
	for i, peer := range s.peers {
		_, election, err := net.SplitHostPort(peer.election)
		if err != nil {
			return "", err
		}
		lines = append(lines, fmt.Sprintf("server.%d=%s:%s", i+1, peer.quorum, election))
	}
	path := filepath.Join(s.dir, zookeeperConfigFile)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return "", fmt.Errorf("write the configuration of zookeeper %s: %w", s.name, err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, zookeeperNumberFile), []byte(strconv.Itoa(s.id)+"\n"), 0o644); err != nil {
		return "", fmt.Errorf("write the number of zookeeper %s: %w", s.name, err)
	}
	return path, nil
}

// zookeeperTick is the unit of the servers' time-outs: they expire sessions once a tick, and take two for the shortest
// session. A quarter of the TTL lets a session end within 5/4 of it. ZooKeeper ships with 2 s.
func zookeeperTick(ttl time.Duration) time.Duration {
	const shortest, stock = 250 * time.Millisecond, 2 * time.Second
	if ttl <= 0 {
		return stock
	}
	return min(max(ttl/4, shortest), stock)
}

// zookeeperSession makes a session with the server and ends it.
func zookeeperSession(ctx context.Context, addr string) error {
	conn, events, err := zk.Connect([]string{addr}, 10*time.Second, zk.WithLogInfo(false), zk.WithLogger(silent{}))
	if err != nil {
		return fmt.Errorf("connect to %s: %w", addr, err)
	}
	defer func() {
		conn.Close()
		for range events { // closed as the connection's goroutines end
		}
	}()
	for {
		select {
		case e := <-events:
			if e.State == zk.StateHasSession {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("get a session from %s: %w", addr, ctx.Err())
		}
	}
}

// silent is a logger that drops everything: the client's errors are returned too.
type silent struct{}

// Printf implements zk.Logger.
func (silent) Printf(string, ...any) {}
