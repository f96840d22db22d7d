package cluster_test

import (
	"context"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/cluster"
)

// serves reports whether a member answers a read that needs the quorum.
func serves(t *testing.T, addr string) bool {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{addr}, DialTimeout: time.Second, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = c.Get(ctx, "x")
	return err == nil
}

func TestEtcd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	host, links := local(t), faults.NewLinks()
	defer func() {
		if err := links.Close(); err != nil {
			t.Error(err)
		}
	}()
	opened := map[string]faults.Flow{}
	c, err := cluster.Etcd{}.Start(ctx, cluster.Spec{
		Name: "etcd", Nodes: 3, Agent: host, LogDir: t.TempDir(), TTL: 2 * time.Second,
		Peer: func(from, to, listen, upstream string) error {
			opened[listen] = faults.Flow{From: from, To: to}
			_, err := links.Open(from, to, listen, upstream)
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if pairs := count(opened); len(opened) != 6 || len(pairs) != 6 {
		t.Errorf("%d links for %d ordered pairs, want 6 and 6", len(opened), len(pairs))
	}
	separate(t, c, opened)

	// The leader is cut off: the others elect one of them, and it serves nobody.
	old := leader(ctx, t, c)
	heal := isolate(t, links, c, old)
	eventually(t, "there is another leader", func() bool { return leader(ctx, t, c) != old })
	eventually(t, "the former leader serves nobody", func() bool { return !serves(t, addr(c, old)) })
	heal()
	eventually(t, "the former leader serves again", func() bool { return serves(t, addr(c, old)) })
	separate(t, c, opened)

	// One direction of one pair is cut: what the leader sends to one follower. That one falls behind or campaigns, the
	// other does neither.
	lead := leader(ctx, t, c)
	var deaf, other string
	for _, n := range c.Nodes() {
		if n.Name != lead {
			deaf, other = other, n.Name
		}
	}
	heal, err = links.Cut(faults.Flow{From: lead, To: deaf})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the deaf follower serves nobody", func() bool { return !serves(t, addr(c, deaf)) })
	if !serves(t, addr(c, other)) {
		t.Errorf("%s, whose links are whole, serves nobody", other)
	}
	heal()
	eventually(t, "the deaf follower serves again", func() bool { return serves(t, addr(c, deaf)) })
}

// A run without links starts the same members, also for a user who is behind an HTTP proxy.
func TestEtcdDirect(t *testing.T) {
	for _, name := range []string{"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	t.Setenv("no_proxy", "")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := cluster.Etcd{}.Start(ctx, cluster.Spec{Name: "etcd", Nodes: 3, Agent: local(t), LogDir: t.TempDir(), TTL: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if got := leader(ctx, t, c); got == "" {
		t.Error("nobody leads")
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}
