package servers_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/faults/processes"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
	"github.com/lockbench/lockbench/internal/topology"
)

// bed is a cluster as faults see it, with links between its servers.
type bed struct {
	servers.Cluster
	t         *testing.T
	host      *local.Host
	links     *links.Links
	processes *processes.Processes
	logs      string // the directory of the servers' logs
}

func newBed(t *testing.T, backend servers.Backend, nodes int, durable bool) *bed {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	_, err := backend.Detect(ctx, local.Programs{})
	testenv.NeedServer(t, err)
	b := &bed{t: t, host: newHost(t), links: links.New(), logs: t.TempDir()}
	t.Cleanup(func() {
		if err := b.links.Close(); err != nil {
			t.Error(err)
		}
	})
	b.Cluster, err = backend.Start(ctx, servers.Spec{
		Name: "bed", Nodes: nodes, Host: b.host, LogDir: b.logs, TTL: 2 * time.Second, Durable: durable,
		Peer: func(from, to, listen, upstream string) error {
			_, err := b.links.Open(from, to, listen, upstream)
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
		if left := b.states("bed-"); left != "" {
			t.Errorf("processes after Stop: %q", left)
		}
	})
	b.processes = processes.New(func(name string) (processes.Process, error) { return b.node(name).Process, nil })
	return b
}

func (b *bed) node(name string) servers.Node {
	i := slices.IndexFunc(b.Cluster.Nodes(), func(n servers.Node) bool { return n.Name == name })
	return b.Cluster.Nodes()[i]
}

// addr is where the node listens.
func (b *bed) addr(name string) string { return b.node(name).Addr }

// at is addr with the servers' credentials.
func (b *bed) at(name string) place { return place{b.addr(name), b.Credentials()} }

func (b *bed) Nodes() (names []string) {
	for _, n := range b.Cluster.Nodes() {
		names = append(names, n.Name)
	}
	return names
}
func (b *bed) Driver() string                  { return "bed" }
func (b *bed) Clients() []string               { return nil }
func (b *bed) Links() *links.Links             { return b.links }
func (b *bed) Processes() *processes.Processes { return b.processes }
func (b *bed) Service() any                    { return b.Cluster }
func (b *bed) Holder() (string, error)         { return "", errors.New("nobody") }
func (b *bed) Clocks() error                   { return b.host.Clocks() }

func (b *bed) Topology() topology.Topology {
	kind := topology.Voter
	if _, err := b.Leader(b.t.Context()); errors.Is(err, topology.ErrNotApplicable) {
		kind = topology.Equal
	}
	return topology.Of(kind, len(b.Nodes()))
}

// follower names a node that does not lead.
func (b *bed) follower() string {
	b.t.Helper()
	lead := leader(b.t.Context(), b.t, b.Cluster)
	return b.Nodes()[(slices.Index(b.Nodes(), lead)+1)%len(b.Nodes())]
}

// inject injects a fault into the hosts, and returns the heal.
func (b *bed) inject(name string, hosts ...string) func() {
	b.t.Helper()
	return b.injectInto(b, name, faults.Injection{Target: faults.Target{Role: faults.Role(hosts[0])}, Hosts: hosts})
}

// injectInto injects a fault into c, and returns the heal.
func (b *bed) injectInto(c faults.Cluster, name string, in faults.Injection) func() {
	b.t.Helper()
	f, err := faults.Find(name)
	if err != nil {
		b.t.Fatal(err)
	}
	in.Rand = rand.New(rand.NewPCG(1, 2))
	if err := f.Available(c, in); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*patience)
	defer cancel()
	heal, err := f.Inject(ctx, c, in)
	if err != nil {
		b.t.Fatal(err)
	}
	return func() {
		b.t.Helper()
		ctx, cancel := context.WithTimeout(b.t.Context(), 2*patience)
		defer cancel()
		if err := heal(ctx); err != nil {
			b.t.Fatal(err)
		}
	}
}

// states is a letter for each process of the servers whose directory's name begins so, as /proc has it ("SST").
// Processes of another user, whose directory root may not be allowed to read in a container, are known by their
// command line; those are PostgreSQL's.
func (b *bed) states(prefix string) (states string) {
	b.t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, p := range processes {
		cwd, err := os.Readlink(filepath.Join(p, "cwd"))
		mine := err == nil && strings.HasPrefix(cwd, filepath.Join(b.host.Scratch(), prefix))
		if errors.Is(err, os.ErrPermission) {
			cmdline, err := os.ReadFile(filepath.Join(p, "cmdline"))
			mine = err == nil && bytes.Contains(cmdline, []byte(filepath.Base(b.host.Scratch())))
		}
		stat, err := os.ReadFile(filepath.Join(p, "stat"))
		if !mine || err != nil {
			continue // somebody else's, or gone
		}
		if state := stat[bytes.LastIndexByte(stat, ')')+2]; state != 'Z' {
			states += string(state)
		}
	}
	return states
}

// try gives one call its time.
func try[T any](t *testing.T, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	return f(ctx)
}

// put sets the value at the node, as soon as it takes it.
func (b *bed) put(s store, node, value string) {
	b.t.Helper()
	var err error
	must.Eventually(b.t, "the value is stored", func() bool {
		_, err = try(b.t, func(ctx context.Context) (any, error) { return nil, s.set(ctx, b.at(node), value) })
		return err == nil
	})
}

// wants fails the test unless the node, once it answers, has the value.
func (b *bed) wants(s store, node, want string) {
	b.t.Helper()
	var got string
	must.Eventually(b.t, node+" answers", func() bool {
		var err error
		got, err = try(b.t, func(ctx context.Context) (string, error) { return s.get(ctx, b.at(node)) })
		return err == nil
	})
	if got != want {
		b.t.Errorf("%s has %q, want %q", node, got, want)
	}
}

// pauses checks that a node which is suspended is silent, with all its processes, and then answers as if nothing
// were.
func (b *bed) pauses(s store, node string) {
	b.t.Helper()
	heal := b.inject("pause", node)
	if got := b.states("bed-" + node); got == "" || strings.Trim(got, "T") != "" {
		b.t.Errorf("states while suspended: %q", got)
	}
	pid, answer := b.node(node).Process.PID(), make(chan error, 1)
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*patience)
	defer cancel()
	go func() {
		for {
			_, err := s.get(ctx, b.at(node))
			if err == nil || ctx.Err() != nil {
				answer <- err
				return
			}
		}
	}()
	select {
	case err := <-answer:
		b.t.Errorf("a suspended server answered (%v)", err)
	case <-time.After(200 * time.Millisecond):
	}
	heal()
	if got := b.states("bed-" + node); got == "" || strings.Contains(got, "T") {
		b.t.Errorf("states after: %q", got)
	}
	if err := <-answer; err != nil {
		b.t.Errorf("after the pause: %v", err)
	}
	if b.node(node).Process.PID() != pid {
		b.t.Error("it is another process")
	}
}

// refuses fails the test if anybody listens at the node, or any process is left.
func (b *bed) refuses(node string) {
	b.t.Helper()
	if conn, err := net.Dial("tcp", b.addr(node)); err == nil {
		b.t.Errorf("%s is down, and accepts connections", node)
		_ = conn.Close()
	}
	if left := b.states("bed-" + node); left != "" {
		b.t.Errorf("%s is down, and has processes %q", node, left)
	}
}

// crashes checks that the nodes are gone, and other processes at the same addresses later.
func (b *bed) crashes(nodes ...string) {
	b.t.Helper()
	var pids []int
	for _, n := range nodes {
		pids = append(pids, b.node(n).Process.PID())
	}
	heal := b.inject("crash", nodes...)
	for _, n := range nodes {
		b.refuses(n)
	}
	heal()
	for i, n := range nodes {
		if b.node(n).Process.PID() == pids[i] {
			b.t.Errorf("%s is the same process", n)
		}
		if err := b.node(n).Process.Start(b.t.Context()); err == nil {
			b.t.Errorf("%s was started while it ran", n)
		}
	}
}

// endsSuspended stops the cluster while a node is suspended; that nothing is left the bed itself checks.
func (b *bed) endsSuspended(node string) {
	b.t.Helper()
	if err := b.node(node).Process.Suspend(); err != nil {
		b.t.Fatal(err)
	}
	if err := b.Stop(); err != nil {
		b.t.Error(err)
	}
	b.refuses(node)
	if err := b.node(node).Process.Start(b.t.Context()); err == nil {
		b.t.Error("a server was started after Stop")
	}
}
