package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/lockbench/lockbench/drivers"
)

// Etcd starts etcd members: this program again, with the real server compiled in, so that it needs no installation.
type Etcd struct{}

// Name implements Backend.
func (Etcd) Name() drivers.Backend { return drivers.Etcd }

// Detect implements Backend.
func (Etcd) Detect(context.Context) (string, error) { return version.Version, nil }

type etcdCluster struct {
	members []*etcdMember
	// rejoining is held while a member that lost its data takes its place again: a joining member must find the
	// list of members as it was told.
	rejoining sync.Mutex
}

// Start implements Backend.
//
// All members are told the same address of each, its host name; every member resolves the names of the others to
// addresses of its own, where its links to them listen. That is how one pair can be cut and no other.
func (b Etcd) Start(ctx context.Context, spec Spec) (Cluster, error) {
	configs, err := etcdConfigs(spec)
	if err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	c := &etcdCluster{members: make([]*etcdMember, spec.Nodes)}
	for i := range c.members {
		if c.members[i], err = newEtcdMember(spec, c, i, configs[i]); err != nil {
			return nil, fmt.Errorf("start etcd: %w", err)
		}
	}
	err = InParallel(spec.Nodes, func(i int) error { return c.members[i].begin(ctx) })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start etcd: %w", err), c.Stop())
	}
	return c, nil
}

// etcdHost is the name by which members call member i.
func etcdHost(i int) string { return NodeName(i) + ".etcd.internal" }

// etcdConfigs chooses the addresses of all members and opens the links between them.
func etcdConfigs(spec Spec) ([]etcdConfig, error) {
	configs, dirs := make([]etcdConfig, spec.Nodes), make([]string, spec.Nodes)
	var initial []string
	for i := range configs {
		name := "etcd " + spec.Name + " " + NodeName(i)
		client, err := spec.Agent.Address(name)
		if err != nil {
			return nil, err
		}
		peer, err := spec.Agent.Address(name)
		if err != nil {
			return nil, err
		}
		if dirs[i], err = spec.Agent.Dir(spec.Name + "-" + NodeName(i)); err != nil {
			return nil, err
		}
		host, port, err := net.SplitHostPort(peer)
		if err != nil {
			return nil, err
		}
		// The token, a directory that only this run has, keeps out members of a run that had the same addresses before.
		configs[i] = etcdConfig{
			Name: NodeName(i), Dir: dirs[i], Client: client, Peer: peer, Token: dirs[0],
			Advertise: net.JoinHostPort(etcdHost(i), port), Hosts: map[string]string{etcdHost(i): host},
		}
		initial = append(initial, NodeName(i)+"="+configs[i].peerURL())
	}
	for i := range configs {
		configs[i].Cluster = strings.Join(initial, ",")
		for j := range configs {
			if err := etcdLink(spec, configs, i, j); err != nil {
				return nil, err
			}
		}
	}
	return configs, nil
}

// etcdLink tells member i where to dial member j.
func etcdLink(spec Spec, configs []etcdConfig, i, j int) error {
	if i == j {
		return nil
	}
	host, port, err := net.SplitHostPort(configs[j].Peer)
	if err != nil {
		return err
	}
	if spec.Peer != nil {
		if host, err = spec.Agent.Host("link " + NodeName(i) + "→" + NodeName(j)); err != nil {
			return err
		}
		if err := spec.Peer(NodeName(i), NodeName(j), net.JoinHostPort(host, port), configs[j].Peer); err != nil {
			return err
		}
	}
	configs[i].Hosts[etcdHost(j)] = host
	return nil
}

// Nodes implements Cluster.
func (c *etcdCluster) Nodes() []Node {
	nodes := make([]Node, len(c.members))
	for i, m := range c.members {
		nodes[i] = Node{Name: m.config.Name, Addr: m.config.Client, Process: m}
	}
	return nodes
}

// Version implements Cluster.
func (c *etcdCluster) Version() string { return version.Version }

// Leader implements Cluster. Of several that think that they lead, the one of the highest term does.
func (c *etcdCluster) Leader(ctx context.Context) (string, error) {
	leader, term := "", uint64(0)
	errs := make([]error, len(c.members))
	for i, m := range c.members {
		attempt, cancel := context.WithTimeout(ctx, time.Second)
		st, err := m.status(attempt)
		cancel()
		if err != nil {
			errs[i] = fmt.Errorf("ask %s: %w", m.config.Name, err)
		} else if st.Leader == st.Header.MemberId && st.RaftTerm > term {
			leader, term = m.config.Name, st.RaftTerm
		}
	}
	if leader == "" {
		return "", errors.Join(append([]error{errors.New("no member of etcd leads")}, errs...)...)
	}
	return leader, nil
}

// Stop implements Cluster.
func (c *etcdCluster) Stop() error {
	return InParallel(len(c.members), func(i int) error {
		defer c.members[i].hangUp()
		return c.members[i].stop(syscall.SIGTERM)
	})
}
