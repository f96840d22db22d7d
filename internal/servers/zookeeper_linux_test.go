package servers_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
)

// patience bounds what must happen at all.
const patience = 30 * time.Second

func newHost(t *testing.T) *local.Host {
	t.Helper()
	host, err := local.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return host
}

// linked starts three servers that reach each other by links. It says whose link listens at an address.
func linked(ctx context.Context, t *testing.T, backend servers.Backend) (servers.Cluster, *links.Links, map[string]links.Flow) {
	t.Helper()
	host, network := newHost(t), links.New()
	t.Cleanup(func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	opened := map[string]links.Flow{}
	c, err := backend.Start(ctx, servers.Spec{
		Name: "linked", Nodes: 3, Host: host, LogDir: t.TempDir(), TTL: 2 * time.Second,
		Peer: func(from, to, listen, upstream string) error {
			opened[listen] = links.Flow{From: from, To: to}
			_, err := network.Open(from, to, listen, upstream)
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c, network, opened
}

func TestZooKeeper(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	version, err := servers.ZooKeeper{}.Detect(ctx, local.Programs{})
	testenv.NeedServer(t, err)
	c, network, opened := linked(ctx, t, servers.ZooKeeper{})
	if c.Version() != version {
		t.Errorf("version %q, detected %q", c.Version(), version)
	}
	if pairs := count(opened); len(opened) != 12 || len(pairs) != 6 {
		t.Errorf("%d links for %d ordered pairs, want two for each of six", len(opened), len(pairs))
	}
	old := leader(ctx, t, c)
	separate(t, c, opened)

	// The leader is cut off: the others elect one of them.
	heal := isolate(t, network, c, old)
	next := old
	for next == old {
		next = leader(ctx, t, c)
	}
	separate(t, c, opened)
	heal()
	modes := func() int {
		n := 0
		for _, node := range c.Nodes() {
			if m := mode(node.Addr); m == "follower" || m == "leader" {
				n++
			}
		}
		return n
	}
	must.Eventually(t, "the former leader joins again", func() bool { return modes() == 3 && mode(addr(c, old)) == "follower" })
	separate(t, c, opened)

	// One pair is cut: the follower that cannot reach the leader stops serving, the other does not.
	lead := leader(ctx, t, c)
	var cut, other string
	for _, n := range c.Nodes() {
		if n.Name != lead {
			cut, other = other, n.Name
		}
	}
	heal, err = network.Cut(links.Flow{From: cut, To: lead}, links.Flow{From: lead, To: cut})
	if err != nil {
		t.Fatal(err)
	}
	must.Eventually(t, "the follower leaves", func() bool { return mode(addr(c, cut)) == "" })
	if m := mode(addr(c, other)); m != "follower" {
		t.Errorf("%s, whose links are whole, is %q", other, m)
	}
	heal()
	must.Eventually(t, "the follower joins again", func() bool { return modes() == 3 })
	separate(t, c, opened)
}

func TestZooKeeperMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := servers.ZooKeeper{}.Detect(t.Context(), local.Programs{})
	if err == nil || !strings.Contains(err.Error(), "apt-get install") {
		t.Errorf("error %v does not say what to install", err)
	}
}

// Start gives up with its context and leaves no process.
func TestZooKeeperStartCancelled(t *testing.T) {
	_, err := servers.ZooKeeper{}.Detect(t.Context(), local.Programs{})
	testenv.NeedServer(t, err)
	host := newHost(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	c, err := servers.ZooKeeper{}.Start(ctx, servers.Spec{Name: "zk", Nodes: 3, Host: host, LogDir: t.TempDir(), TTL: 2 * time.Second})
	if err == nil { // on a machine that is faster than this test knows
		err = c.Stop()
	} else if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	if err != nil {
		t.Error(err)
	}
	cwds, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range cwds {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, host.Scratch()) {
			t.Errorf("%s still works in %s", link, cwd)
		}
	}
}

// isolate cuts a node off from all others.
func isolate(t *testing.T, network *links.Links, c servers.Cluster, node string) func() {
	t.Helper()
	var flows []links.Flow
	for _, n := range c.Nodes() {
		if n.Name != node {
			flows = append(flows, links.Flow{From: n.Name, To: node}, links.Flow{From: node, To: n.Name})
		}
	}
	heal, err := network.Cut(flows...)
	if err != nil {
		t.Fatal(err)
	}
	return heal
}

func addr(c servers.Cluster, name string) string {
	i := slices.IndexFunc(c.Nodes(), func(n servers.Node) bool { return n.Name == name })
	return c.Nodes()[i].Addr
}

// leader waits until one leads.
func leader(ctx context.Context, t *testing.T, c servers.Cluster) string {
	t.Helper()
	var name string
	must.Eventually(t, "there is one leader", func() bool {
		var err error
		name, err = c.Leader(ctx)
		return err == nil
	})
	return name
}

// mode asks a server what it is; empty: it serves nobody.
func mode(addr string) string {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprint(conn, "srvr")
	var answer strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		answer.Write(buf[:n])
		if err != nil {
			break
		}
	}
	_, rest, _ := strings.Cut(answer.String(), "Mode: ")
	m, _, _ := strings.Cut(rest, "\n")
	return m
}

// count says how many links each ordered pair has.
func count(opened map[string]links.Flow) map[links.Flow]int {
	n := map[links.Flow]int{}
	for _, f := range opened {
		n[f]++
	}
	return n
}

// separate fails if two servers are connected to each other past the links, or if one uses a link of another; opened
// says whose link listens at an address. Where no connection is found at all the test shows nothing, and fails too.
func separate(t *testing.T, c servers.Cluster, opened map[string]links.Flow) {
	t.Helper()
	ends := connections(t, c)
	linked := 0
	for end, from := range ends {
		if to, ok := ends[[2]string{end[1], end[0]}]; ok {
			t.Errorf("%s (%s) and %s (%s) are connected directly", from, end[0], to, end[1])
		}
		if flow, ok := opened[end[1]]; ok {
			linked++
			if flow.From != from {
				t.Errorf("%s reaches %s by the link of %s", from, flow.To, flow.From)
			}
		}
	}
	if linked < len(c.Nodes())-1 {
		t.Errorf("the servers use %d links, fewer than hold them together", linked)
	}
}

// connections finds the established connections of the servers: local and remote address → server.
func connections(t *testing.T, c servers.Cluster) map[[2]string]string {
	t.Helper()
	owner := map[string]string{} // inode → node
	for _, n := range c.Nodes() {
		fds, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(n.Process.PID()), "fd", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range fds {
			to, err := os.Readlink(fd)
			if inode, ok := strings.CutPrefix(to, "socket:["); ok && err == nil {
				owner[strings.TrimSuffix(inode, "]")] = n.Name
			}
		}
	}
	ends := map[[2]string]string{}
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // a kernel without IPv6
		} else if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(table), "\n")[1:] {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "01" && owner[f[9]] != "" { // established
				ends[[2]string{ipv4(t, f[1]), ipv4(t, f[2])}] = owner[f[9]]
			}
		}
	}
	return ends
}

// ipv4 reads an address of /proc/net/tcp or tcp6, in which every 32-bit word is in the order of the processor.
func ipv4(t *testing.T, text string) string {
	t.Helper()
	host, port, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(host[len(host)-8:])
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(b)
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort(net.IP(b).String(), strconv.FormatUint(n, 10))
}
