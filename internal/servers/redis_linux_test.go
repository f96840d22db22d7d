package servers_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
	"github.com/lockbench/lockbench/internal/topology"
)

func TestRedis(t *testing.T) {
	version, err := servers.Redis{}.Detect(t.Context(), local.Programs{})
	testenv.NeedServer(t, err)
	c, err := servers.Redis{}.Start(t.Context(), servers.Spec{Name: "redlock", Nodes: 5, Host: newHost(t), LogDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if c.Version() != version {
		t.Errorf("the servers are %q, the program says %q", c.Version(), version)
	}
	if _, err := c.Leader(t.Context()); !errors.Is(err, topology.ErrNotApplicable) {
		t.Errorf("leader: %v, want %v", err, topology.ErrNotApplicable)
	}
	// Independent masters: what one is told the others do not know.
	for i, n := range c.Nodes() {
		if n.Name != topology.Name(i) {
			t.Errorf("node %d is called %s", i, n.Name)
		}
		client := goredis.NewClient(servers.RedisConfig(n.Addr, c.Credentials()))
		if set, err := client.SetNX(t.Context(), "key", n.Name, time.Minute).Result(); err != nil || !set {
			t.Errorf("%s: the key is set: %v, %v", n.Name, set, err)
		}
		if role, err := client.InfoMap(t.Context(), "replication").Result(); err != nil || role["Replication"]["role"] != "master" {
			t.Errorf("%s: %v, %v", n.Name, role, err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	must.Succeed(t, c.Stop())
	for _, n := range c.Nodes() {
		select {
		case <-n.Process.Exited():
		default:
			t.Errorf("%s still runs", n.Name)
		}
	}
}

// program puts a shell script in front of every real redis-server.
func program(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	must.Succeed(t, os.WriteFile(filepath.Join(dir, "redis-server"), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

func TestRedisThatDiesAtStart(t *testing.T) {
	program(t, "echo 'Fatal: out of something' >&2; exit 3")
	_, err := servers.Redis{}.Start(t.Context(), servers.Spec{Name: "redis", Nodes: 2, Host: newHost(t), LogDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "Fatal: out of something") {
		t.Errorf("start: %v, want the last lines of the log", err)
	}
	if version, err := (servers.Redis{}).Detect(t.Context(), local.Programs{}); err == nil {
		t.Errorf("a program that fails has the version %q", version)
	}
}

func TestRedisStartCancelled(t *testing.T) {
	pids := t.TempDir()
	program(t, "echo $$ > "+pids+"/$$; exec sleep 600")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan error, 1)
	host, logs := newHost(t), t.TempDir()
	go func() {
		_, err := servers.Redis{}.Start(ctx, servers.Spec{Name: "redis", Nodes: 2, Host: host, LogDir: logs})
		started <- err
	}()
	var running []os.DirEntry
	for deadline := time.Now().Add(20 * time.Second); len(running) < 2; time.Sleep(5 * time.Millisecond) {
		var err error
		if running, err = os.ReadDir(pids); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of 2 servers were started", len(running))
		}
	}
	cancel()
	if err := <-started; !errors.Is(err, context.Canceled) {
		t.Errorf("start: %v, want %v", err, context.Canceled)
	}
	for _, f := range running {
		pid, err := strconv.Atoi(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat("/proc/" + strconv.Itoa(pid)); err == nil {
			t.Errorf("process %d was left running", pid)
		}
	}
}
