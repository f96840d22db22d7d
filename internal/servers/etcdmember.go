package servers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/servers/etcdmember"
	"github.com/lockbench/lockbench/internal/topology"
)

// etcdSecretFile is in the member's directory, and is not its data. The secret is there because everybody can read a
// command line.
const etcdSecretFile = "secret"

// etcdMember is one server of etcd.
type etcdMember struct {
	*server
	cluster *etcdCluster
	config  etcdmember.Config // only Start changes it, and only Join

	mu     sync.Mutex
	client *clientv3.Client // past every link; nil: not connected
	wiped  bool             // and has not joined again
}

func newEtcdMember(spec Spec, c *etcdCluster, i int, cfg etcdmember.Config) (*etcdMember, error) {
	name := "etcd " + spec.Name + " " + topology.Name(i)
	self, err := spec.Host.Self()
	if err != nil {
		return nil, err
	}
	cfg.Secret = filepath.Join(cfg.Dir, etcdSecretFile)
	if err := spec.Host.Write(cfg.Secret, []byte(c.as.Password)); err != nil {
		return nil, fmt.Errorf("write the secret of %s: %w", name, err)
	}
	m := &etcdMember{cluster: c, config: cfg}
	m.server = &server{
		host: spec.Host,
		command: provision.Command{
			Name: name, Path: self, Dir: cfg.Dir, Log: spec.LogPath(i),
		},
		serves: m.reads, answers: m.peers,
	}
	return m, m.configure()
}

// configure puts the configuration into the command.
func (m *etcdMember) configure() error {
	arg, err := json.Marshal(m.config)
	if err != nil {
		return fmt.Errorf("encode the configuration of %s: %w", m.command.Name, err)
	}
	m.command.Args = []string{etcdmember.Command, string(arg)}
	return nil
}

// connect returns the member's client. It dials first, because a client that is refused waits longer after each
// attempt.
func (m *etcdMember) connect(ctx context.Context) (*clientv3.Client, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", m.config.Client)
	if err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.client == nil {
		m.client, err = clientv3.New(clientv3.Config{
			Endpoints: []string{m.config.Client}, Token: m.cluster.as.Password, DialTimeout: 2 * time.Second, Logger: zap.NewNop(),
		})
		if err != nil {
			return nil, fmt.Errorf("make a client of %s: %w", m.command.Name, err)
		}
	}
	return m.client, nil
}

// hangUp closes the member's client.
func (m *etcdMember) hangUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.client != nil {
		_ = m.client.Close() // nothing that counts was written through it
		m.client = nil
	}
}

// reads reads through the quorum. It succeeds if this member has joined and there is a leader.
func (m *etcdMember) reads(ctx context.Context) error {
	client, err := m.connect(ctx)
	if err != nil {
		return err
	}
	_, err = client.Get(ctx, "ready")
	return err
}

// peers asks the member for its version as a peer does. A member answers peers without a quorum, and clients only
// with one.
func (m *etcdMember) peers(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.config.Peer+"/version", nil)
	if err != nil {
		return err
	}
	// Without the proxy of the environment, which does not know the address.
	reply, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", m.config.Peer, reply.Status)
	}
	return errors.Join(err, reply.Body.Close())
}

// status asks the member for what it knows by itself.
func (m *etcdMember) status(ctx context.Context) (*clientv3.StatusResponse, error) {
	client, err := m.connect(ctx)
	if err != nil {
		return nil, err
	}
	return client.Status(ctx, m.config.Client)
}

// Durable says that the member comes back from a kill with all that it acknowledged.
func (*etcdMember) Durable() error { return nil }

// Wipe removes the data of a member that was killed. The next Start removes it from the cluster and adds it as a new
// one. The members that kept their data must agree to that, so Wipe fails if they are no majority.
func (m *etcdMember) Wipe() error {
	if err := m.wipeable(); err != nil {
		return err
	}
	m.cluster.rejoining.Lock()
	defer m.cluster.rejoining.Unlock()
	wiped := 1
	for _, other := range m.cluster.members {
		if other != m && other.lost() {
			wiped++
		}
	}
	if n := len(m.cluster.members); wiped > (n-1)/2 {
		return fmt.Errorf("remove the data of %s: %d of %d members would have lost theirs, and no majority is left that takes them back",
			m.command.Name, wiped, n)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wiped = true
	return m.host.Empty(m.config.Dir, etcdSecretFile)
}

// lost reports whether the member was wiped and has not joined again.
func (m *etcdMember) lost() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wiped
}

// Start implements Server.
func (m *etcdMember) Start(ctx context.Context) error {
	m.hangUp()
	if !m.lost() {
		return m.server.Start(ctx)
	}
	m.cluster.rejoining.Lock()
	defer m.cluster.rejoining.Unlock()
	if err := m.wipeable(); err != nil {
		return err
	}
	if err := m.host.Empty(m.config.Dir, etcdSecretFile); err != nil { // a start that failed has left something
		return err
	}
	if err := m.replace(ctx); err != nil {
		return err
	}
	m.config.Join = true
	if err := m.configure(); err != nil {
		return err
	}
	if err := m.server.Start(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wiped = false
	return nil
}

// replace has the other members remove this one and add a new one at its place. They refuse until they have been
// connected to each other for some seconds.
func (m *etcdMember) replace(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, restartPatience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var errs []error
		for _, other := range m.cluster.members {
			if other == m {
				continue
			}
			err := m.replaceBy(ctx, other)
			if err == nil {
				return nil
			}
			errs = append(errs, fmt.Errorf("ask %s: %w", other.config.Name, err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("add %s to its cluster again: %w", m.command.Name, errors.Join(append([]error{ctx.Err()}, errs...)...))
		}
	}
}

func (m *etcdMember) replaceBy(ctx context.Context, other *etcdMember) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client, err := other.connect(ctx)
	if err != nil {
		return err
	}
	list, err := client.MemberList(ctx)
	if err != nil {
		return fmt.Errorf("list the members: %w", err)
	}
	url := m.config.PeerURL()
	for _, old := range list.Members {
		if !slices.Contains(old.PeerURLs, url) {
			continue
		}
		if _, err := client.MemberRemove(ctx, old.ID); err != nil {
			return fmt.Errorf("remove the member that lost its data: %w", err)
		}
	}
	if _, err := client.MemberAdd(ctx, []string{url}); err != nil {
		return fmt.Errorf("add the member: %w", err)
	}
	return nil
}
