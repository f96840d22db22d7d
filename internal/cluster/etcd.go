package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/version"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/agent"
)

// Etcd starts etcd members: this program again, with the real server compiled in, so that it needs no installation.
type Etcd struct{}

// Name implements Backend.
func (Etcd) Name() drivers.Backend { return drivers.Etcd }

// Detect implements Backend.
func (Etcd) Detect(context.Context) (string, error) { return version.Version, nil }

type etcdCluster struct {
	nodes   []Node
	clients []*clientv3.Client // one per member, past every link
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
	c := &etcdCluster{nodes: make([]Node, spec.Nodes), clients: make([]*clientv3.Client, spec.Nodes)}
	err = InParallel(spec.Nodes, func(i int) error { return c.startMember(ctx, spec, i, configs[i]) })
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
		initial = append(initial, NodeName(i)+"=http://"+configs[i].Advertise)
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

func (c *etcdCluster) startMember(ctx context.Context, spec Spec, i int, cfg etcdConfig) error {
	name := "etcd " + spec.Name + " " + NodeName(i)
	self, err := agent.Executable()
	if err != nil {
		return fmt.Errorf("find the program to run as %s: %w", name, err)
	}
	arg, err := json.Marshal(cfg)
	if err != nil {
		return fmt.Errorf("encode the configuration of %s: %w", name, err)
	}
	p, err := spec.Agent.Start(agent.Command{
		Name: name, Path: self, Args: []string{EtcdCommand, string(arg)}, Dir: cfg.Dir, Log: spec.LogPath(i),
		// Members dial each other by name; a user's HTTP proxy knows no such name.
		Env: []string{"NO_PROXY=*"},
	})
	if err != nil {
		return err
	}
	c.nodes[i] = Node{Name: NodeName(i), Addr: cfg.Client, Process: p}
	c.clients[i], err = clientv3.New(clientv3.Config{Endpoints: []string{cfg.Client}, DialTimeout: 2 * time.Second, Logger: zap.NewNop()})
	if err != nil {
		return fmt.Errorf("make a client of %s: %w", name, err)
	}
	// A read through the quorum: this member has joined and there is a leader.
	return WaitReady(ctx, name, p, func(ctx context.Context) error {
		_, err := c.clients[i].Get(ctx, "ready")
		return err
	})
}

// Nodes implements Cluster.
func (c *etcdCluster) Nodes() []Node { return c.nodes }

// Version implements Cluster.
func (c *etcdCluster) Version() string { return version.Version }

// Leader implements Cluster. Of several that think that they lead, the one of the highest term does.
func (c *etcdCluster) Leader(ctx context.Context) (string, error) {
	leader, term := "", uint64(0)
	errs := make([]error, len(c.nodes))
	for i, n := range c.nodes {
		attempt, cancel := context.WithTimeout(ctx, time.Second)
		st, err := c.clients[i].Status(attempt, n.Addr)
		cancel()
		if err != nil {
			errs[i] = fmt.Errorf("ask %s: %w", n.Name, err)
		} else if st.Leader == st.Header.MemberId && st.RaftTerm > term {
			leader, term = n.Name, st.RaftTerm
		}
	}
	if leader == "" {
		return "", errors.Join(append([]error{errors.New("no member of etcd leads")}, errs...)...)
	}
	return leader, nil
}

// Stop implements Cluster.
func (c *etcdCluster) Stop() error {
	for _, client := range c.clients {
		if client != nil {
			_ = client.Close() // nothing was written through it
		}
	}
	return InParallel(len(c.nodes), func(i int) error {
		if c.nodes[i].Process == nil {
			return nil
		}
		return c.nodes[i].Process.Stop(syscall.SIGTERM, 2*time.Second)
	})
}
