package servers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	goredis "github.com/redis/go-redis/v9"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
)

// far is by how much clocks jump here: farther than anything in a test takes.
const far = 24 * time.Hour

// clocks makes a bed whose clocks can be moved, or ends the test.
func clocks(t *testing.T, backend servers.Backend, nodes int, durable bool) *bed {
	t.Helper()
	b := newBed(t, backend, nodes, durable)
	testenv.NeedCapability(t, b.Clocks())
	return b
}

// jump sets the clocks of the nodes by the offset.
func (b *bed) jump(offset time.Duration, nodes ...string) func() {
	b.t.Helper()
	return b.injectInto(b, "clock-jump", faults.Injection{
		Target: faults.Target{Role: faults.Role(nodes[0])}, Hosts: nodes, Settings: faults.Settings{"offset": offset},
	})
}

// wantsClock fails the test unless the clock is off by what is wanted, give or take an hour.
func (b *bed) wantsClock(what string, read func(context.Context) (time.Time, error), want time.Duration) {
	b.t.Helper()
	var at time.Time
	must.Eventually(b.t, what+" is told", func() bool {
		var err error
		at, err = try(b.t, read)
		return err == nil
	})
	if got := time.Until(at); (got - want).Abs() > time.Hour {
		b.t.Errorf("%s is %v off, want %v", what, got.Round(time.Second), want)
	}
}

// redisTime asks a Redis for its time.
func (b *bed) redisTime(node string) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		c := goredis.NewClient(servers.RedisConfig(b.addr(node), b.Credentials()))
		defer c.Close()
		return c.Time(ctx).Result()
	}
}

func TestRedisClock(t *testing.T) {
	b := clocks(t, servers.Redis{}, 2, true)
	c := goredis.NewClient(servers.RedisConfig(b.addr("n1"), b.Credentials()))
	defer c.Close()
	exists := func() bool {
		n, err := c.Exists(t.Context(), "leased").Result()
		if err != nil {
			t.Fatal(err)
		}
		return n == 1
	}
	if err := c.Set(t.Context(), "leased", "v", far/2).Err(); err != nil {
		t.Fatal(err)
	}
	if !exists() {
		t.Fatal("the key is not there")
	}
	heal := b.jump(far, "n1")
	b.wantsClock("Redis", b.redisTime("n1"), far)
	b.wantsClock("the other Redis", b.redisTime("n2"), 0)
	if exists() {
		t.Error("a key that expires in half a day is there after a day")
	}
	// Another fault on the same clock, and one that starts the process again.
	more := b.jump(far, "n1")
	b.wantsClock("Redis after two jumps", b.redisTime("n1"), 2*far)
	heal()
	b.crashes("n1")
	b.wantsClock("Redis that was started again", b.redisTime("n1"), far)
	resume := b.inject("pause", "n1")
	more()
	if got := b.states("bed-n1"); got != "T" {
		t.Errorf("states of a server whose clock is healed while it is paused: %q", got)
	}
	resume()
	b.wantsClock("Redis after all heals", b.redisTime("n1"), 0)
	if left := b.processes.Left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestPostgresClock(t *testing.T) {
	b := clocks(t, servers.Postgres{}, 1, false)
	session := func() func(context.Context) (time.Time, error) {
		conn, err := postgresConn(t.Context(), b.at("n1"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		return func(ctx context.Context) (at time.Time, err error) {
			err = conn.QueryRow(ctx, "select clock_timestamp()").Scan(&at)
			return at, err
		}
	}
	old := session()
	b.wantsClock("an old session", old, 0)
	heal := b.jump(-far, "n1")
	b.wantsClock("an old session", old, -far)
	fresh := session()
	b.wantsClock("a new session", fresh, -far)
	heal()
	b.wantsClock("an old session after the heal", old, 0)
	b.wantsClock("a session of the skewed time after the heal", fresh, 0)
	b.wantsClock("a session after the heal", session(), 0)
}

// ZooKeeper's leader stamps what is made.
func TestZooKeeperClock(t *testing.T) {
	b := clocks(t, servers.ZooKeeper{}, 3, false)
	stamp := func(ctx context.Context) (at time.Time, err error) {
		made := make(chan time.Time, 1)
		err = inZooKeeperSession(ctx, b.at("n1"), func(c *zk.Conn) error {
			path, err := c.Create("/stamped-", nil, zk.FlagSequence, zk.AuthACL(zk.PermAll))
			if err != nil {
				return err
			}
			_, stat, err := c.Exists(path)
			if err == nil {
				made <- time.UnixMilli(stat.Ctime)
			}
			return err
		})
		if err == nil {
			at = <-made
		}
		return at, err
	}
	b.wantsClock("ZooKeeper", stamp, 0)
	heal := b.jump(far, b.Nodes()...)
	b.wantsClock("ZooKeeper", stamp, far)
	heal()
	b.wantsClock("ZooKeeper after the heal", stamp, 0)
}

// etcd stores no times; its log has them, and says so when a peer is gone.
func TestEtcdClock(t *testing.T) {
	b := clocks(t, servers.Etcd{}, 3, false)
	stamp := func(ctx context.Context) (time.Time, error) {
		before := lastLine(t, b.logs)
		defer b.inject("crash", "n2")()
		var line struct {
			At time.Time `json:"ts"`
		}
		for ; ctx.Err() == nil; time.Sleep(time.Millisecond) { // nobody tells that a file has grown
			last := lastLine(t, b.logs)
			if !bytes.Equal(last, before) && json.Unmarshal(last, &line) == nil {
				return line.At, nil
			}
		}
		return time.Time{}, ctx.Err()
	}
	b.wantsClock("etcd", stamp, 0)
	heal := b.jump(-far, "n1")
	b.wantsClock("etcd", stamp, -far)
	heal()
	b.wantsClock("etcd after the heal", stamp, 0)
}

// lastLine is the last whole line of the log of n1.
func lastLine(t *testing.T, dir string) []byte {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "*n1*"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("logs of n1: %v, %v", logs, err)
	}
	b, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	b = b[:max(0, bytes.LastIndexByte(b, '\n'))]
	return b[bytes.LastIndexByte(b, '\n')+1:]
}
