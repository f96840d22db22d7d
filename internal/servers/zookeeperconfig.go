package servers

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/topology"
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
		s := &zookeeperServer{name: topology.Name(i), id: i + 1, peers: make([]peerAddrs, spec.Nodes)}
		addrs, err := spec.Host.Addresses("zookeeper "+spec.Name+" "+s.name, 3)
		if err != nil {
			return nil, err
		}
		s.client, s.own = addrs[0], peerAddrs{quorum: addrs[1], election: addrs[2]}
		if s.dir, err = spec.Host.Dir(spec.Name+"-"+s.name, nil); err != nil {
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
			addrs, err := spec.linkTo("link "+from.name+"→"+to.name, to.own.quorum, to.own.election)
			if err != nil {
				return nil, err
			}
			from.peers[j] = peerAddrs{quorum: addrs[0], election: addrs[1]}
		}
	}
	return servers, nil
}

// zookeeperLinks opens the links between all servers and the relays behind them. The caller closes the relays, even
// after an error.
func zookeeperLinks(spec Spec, servers []*zookeeperServer) (relays []*peerRelay, err error) {
	for i, from := range servers {
		for j, to := range servers {
			if from == to {
				continue
			}
			quorum, err := spec.listen("relay "+from.name+"→"+to.name, to.own.quorum)
			if err != nil {
				return relays, err
			}
			relays = append(relays, newQuorumRelay(quorum, to.own.quorum))
			if err := spec.Peer(from.name, to.name, from.peers[j].quorum, quorum.Addr().String()); err != nil {
				return relays, err
			}
			upstream := to.own.election
			if from.id < to.id {
				election, err := spec.listen("relay "+from.name+"→"+to.name, upstream)
				if err != nil {
					return relays, err
				}
				relays = append(relays, newElectionRelay(election, upstream, to.peers[i].election))
				upstream = election.Addr().String()
			}
			if err := spec.Peer(from.name, to.name, from.peers[j].election, upstream); err != nil {
				return relays, err
			}
		}
	}
	return relays, nil
}

// write writes the configuration and returns its path. All other settings are ZooKeeper's defaults, fsync included.
func (s *zookeeperServer) write(host provision.Host, ttl time.Duration) (string, error) {
	ip, port, err := net.SplitHostPort(s.client)
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
		"clientPortAddress=" + ip,
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
	if err := host.Write(path, []byte(strings.Join(lines, "\n")+"\n")); err != nil {
		return "", fmt.Errorf("write the configuration of zookeeper %s: %w", s.name, err)
	}
	if err := host.Write(filepath.Join(s.dir, zookeeperNumberFile), []byte(strconv.Itoa(s.id)+"\n")); err != nil {
		return "", fmt.Errorf("write the number of zookeeper %s: %w", s.name, err)
	}
	return path, nil
}

// zookeeperTick is the unit of the servers' time-outs. They expire sessions once per tick, and the shortest session
// is two ticks. With a quarter of the TTL, a session ends within 5/4 of the TTL. ZooKeeper's default is 2 s.
func zookeeperTick(ttl time.Duration) time.Duration {
	const shortest, stock = 250 * time.Millisecond, 2 * time.Second
	if ttl <= 0 {
		return stock
	}
	return min(max(ttl/4, shortest), stock)
}

// inZooKeeper makes a session with the server, calls f in it, and ends it.
func inZooKeeper(ctx context.Context, addr string, f func(*zk.Conn) error) error {
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
				defer context.AfterFunc(ctx, conn.Close)() // no call of the library takes a context
				return f(conn)
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
