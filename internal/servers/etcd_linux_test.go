package servers_test

import (
	"context"
	"testing"
	"time"

	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// serves reports whether a member answers a read that needs the quorum.
func serves(t *testing.T, cluster servers.Cluster, node string) bool {
	t.Helper()
	c, err := etcdClient(place{addr(cluster, node), cluster.Credentials()})
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
	c, network, opened := linked(ctx, t, servers.Etcd{})
	if pairs := count(opened); len(opened) != 6 || len(pairs) != 6 {
		t.Errorf("%d links for %d ordered pairs, want 6 and 6", len(opened), len(pairs))
	}
	separate(t, c, opened)

	// The leader is cut off: the others elect one of them, and it serves nobody.
	old := leader(ctx, t, c)
	heal := isolate(t, network, c, old)
	must.Eventually(t, "there is another leader", func() bool { return leader(ctx, t, c) != old })
	must.Eventually(t, "the former leader serves nobody", func() bool { return !serves(t, c, old) })
	heal()
	must.Eventually(t, "the former leader serves again", func() bool { return serves(t, c, old) })
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
	heal, err := network.Cut(links.Flow{From: lead, To: deaf})
	if err != nil {
		t.Fatal(err)
	}
	must.Eventually(t, "the deaf follower serves nobody", func() bool { return !serves(t, c, deaf) })
	if !serves(t, c, other) {
		t.Errorf("%s, whose links are whole, serves nobody", other)
	}
	heal()
	must.Eventually(t, "the deaf follower serves again", func() bool { return serves(t, c, deaf) })
}

// A run without links starts the same members, also for a user who is behind an HTTP proxy.
func TestEtcdDirect(t *testing.T) {
	for _, name := range []string{"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	t.Setenv("no_proxy", "")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := servers.Etcd{}.Start(ctx, servers.Spec{Name: "etcd", Nodes: 3, Host: newHost(t), LogDir: t.TempDir(), TTL: 2 * time.Second})
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
