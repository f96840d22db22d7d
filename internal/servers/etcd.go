package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/servers/etcdmember"
	"github.com/lockbench/lockbench/internal/topology"
)

// Etcd starts etcd members: this program again, with the real server compiled in, so that it needs no installation.
type Etcd struct{}

// Name implements Backend.
func (Etcd) Name() drivers.Backend { return drivers.Etcd }

// Detect implements Backend.
func (Etcd) Detect(context.Context, provision.Programs) (string, error) { return version.Version, nil }

type etcdCluster struct {
	cluster
	members []*etcdMember
	// rejoining is held while a member that lost its data joins again. The list of members must not change meanwhile.
	rejoining sync.Mutex
}

// Start implements Backend.
//
// All members know each other by host name. Every member resolves the names of the others to its own links to them.
// So a single pair can be cut.
func (b Etcd) Start(ctx context.Context, spec Spec) (Cluster, error) {
	configs, err := etcdConfigs(spec)
	if err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	c := &etcdCluster{cluster: cluster{version: version.Version, as: drivers.Credentials{Password: rand.Text()}}}
	for i, config := range configs {
		m, err := newEtcdMember(spec, c, i, config)
		if err != nil {
			return nil, fmt.Errorf("start etcd: %w", err)
		}
		c.members = append(c.members, m)
		c.add(m.config.Client, m, m.server)
	}
	if err := c.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start etcd: %w", err), c.Stop())
	}
	return c, nil
}

// etcdHost is the name by which members call member i.
func etcdHost(i int) string { return topology.Name(i) + ".etcd.internal" }

// etcdConfigs chooses the addresses of all members and opens the links between them.
func etcdConfigs(spec Spec) ([]etcdmember.Config, error) {
	configs, dirs := make([]etcdmember.Config, spec.Nodes), make([]string, spec.Nodes)
	var initial []string
	for i := range configs {
		name := "etcd " + spec.Name + " " + topology.Name(i)
		addrs, err := spec.Host.Addresses(name, 2)
		if err != nil {
			return nil, err
		}
		client, peer := addrs[0], addrs[1]
		if dirs[i], err = spec.Host.Dir(spec.Name+"-"+topology.Name(i), nil); err != nil {
			return nil, err
		}
		host, port, err := net.SplitHostPort(peer)
		if err != nil {
			return nil, err
		}
		// The token, a directory that only this run has, keeps out members of a run that had the same addresses before.
		configs[i] = etcdmember.Config{
			Name: topology.Name(i), Dir: dirs[i], Client: client, Peer: peer, Token: dirs[0],
			Advertise: net.JoinHostPort(etcdHost(i), port), Hosts: map[string]string{etcdHost(i): host},
		}
		initial = append(initial, topology.Name(i)+"="+configs[i].PeerURL())
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
func etcdLink(spec Spec, configs []etcdmember.Config, i, j int) error {
	if i == j {
		return nil
	}
	at := configs[j].Peer
	if spec.Peer != nil {
		links, err := spec.linkTo("link "+topology.Name(i)+"→"+topology.Name(j), at)
		if err != nil {
			return err
		}
		at = links[0]
		if err := spec.Peer(topology.Name(i), topology.Name(j), at, configs[j].Peer); err != nil {
			return err
		}
	}
	ip, _, err := net.SplitHostPort(at)
	configs[i].Hosts[etcdHost(j)] = ip
	return err
}

// Leader implements Cluster. Of several members that claim to lead, the one of the highest term leads.
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
	err := c.cluster.Stop()
	for _, m := range c.members {
		m.hangUp()
	}
	return err
}
