package orchestrator

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-redsync/redsync/v4"
	rsredis "github.com/go-redsync/redsync/v4/redis"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/go-zookeeper/zk"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/zap"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/pgsession"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/testenv"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/scenarios"
)

// bareLoop acquires and releases as often as the time allows, the way a user of the client library would, and
// returns how long each acquire took.
type bareLoop func(ctx context.Context, addrs []string, until time.Time) ([]time.Duration, error)

// BenchmarkOverhead shows what lockbench adds to an acquire: its p50 with --direct and one worker against that of a
// bare loop over the same client library and the same kind of servers, in one run. The ratio is the figure to read.
func BenchmarkOverhead(b *testing.B) {
	for _, bb := range []struct {
		driver string
		bare   bareLoop
	}{
		{"redis-setnx", bareSETNX}, {"redis-redlock", bareRedlock}, {"etcd", bareEtcd}, {"zookeeper", bareZooKeeper},
		{"postgres-advisory", bareAdvisory}, {"postgres-row", bareRow},
	} {
		b.Run(bb.driver, func(b *testing.B) {
			var ratios, ours, bares []float64
			for b.Loop() {
				// Each in turn, so that a machine that changes its pace hurts both alike.
				bare := bareP50(b, find(bb.driver), bb.bare)
				own := lockbenchP50(b, find(bb.driver))
				ratios = append(ratios, float64(own)/float64(bare))
				ours, bares = append(ours, float64(own)), append(bares, float64(bare))
			}
			b.ReportMetric(median(ratios), "lockbench/bare")
			b.ReportMetric(median(ours)/1e3, "lockbench-p50-µs")
			b.ReportMetric(median(bares)/1e3, "bare-p50-µs")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

func backend(b *testing.B, d drivers.Driver) cluster.Backend {
	b.Helper()
	for _, backend := range cluster.Backends() {
		if backend.Name() == d.Info.Backend {
			_, err := backend.Detect(b.Context())
			testenv.NeedServer(b, err)
			return backend
		}
	}
	b.Fatalf("no backend for %s", d.Info.Name)
	return nil
}

const benchTime = 2 * time.Second

func bareP50(b *testing.B, d drivers.Driver, loop bareLoop) time.Duration {
	b.Helper()
	host, err := agent.NewLocal()
	if err != nil {
		b.Fatal(err)
	}
	defer host.Close()
	c, err := backend(b, d).Start(b.Context(), cluster.Spec{Name: d.Info.Name, Nodes: d.Info.Nodes, Agent: host, LogDir: b.TempDir(), TTL: 2 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Stop()
	var addrs []string
	for _, n := range c.Nodes() {
		addrs = append(addrs, n.Addr)
	}
	took, err := loop(b.Context(), addrs, time.Now().Add(benchTime))
	if err != nil {
		b.Fatal(err)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

func lockbenchP50(b *testing.B, d drivers.Driver) time.Duration {
	b.Helper()
	s, err := scenarios.Load("partition")
	if err != nil {
		b.Fatal(err)
	}
	s = only(s, "healthy")
	s.Phases[0].For = scenarios.Span{Fixed: benchTime}
	s.Workload.Fencing, s.Workload.HeedLost = scenarios.Off, scenarios.On
	dir, err := Run(b.Context(), Config{
		Scenario: s, Drivers: []drivers.Driver{d}, Backends: cluster.Backends(), Seed: 1, Direct: true,
		Out: b.TempDir(), Fence: resource.RejectLower,
	})
	if err != nil {
		b.Fatal(err)
	}
	m, err := report.Build(dir)
	if err != nil {
		b.Fatal(err)
	}
	return m.Rows[0].Latency.Quantile(0.5).D
}

func timed(took *[]time.Duration, f func() error) error {
	began := time.Now()
	err := f()
	*took = append(*took, time.Since(began))
	return err
}

func redisClient(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true})
}

func bareSETNX(ctx context.Context, addrs []string, until time.Time) (took []time.Duration, err error) {
	c := redisClient(addrs[0])
	defer c.Close()
	release := redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`)
	for i := 0; time.Now().Before(until); i++ {
		value := fmt.Sprintf("%d-%d", os.Getpid(), i)
		if err := timed(&took, func() error {
			return c.SetArgs(ctx, "lock", value, redis.SetArgs{Mode: "NX", TTL: 2 * time.Second}).Err()
		}); err != nil {
			return nil, err
		}
		if err := release.Eval(ctx, c, []string{"lock"}, value).Err(); err != nil {
			return nil, err
		}
	}
	return took, nil
}

func bareRedlock(ctx context.Context, addrs []string, until time.Time) (took []time.Duration, err error) {
	var pools []rsredis.Pool
	for _, a := range addrs {
		c := redisClient(a)
		defer c.Close()
		pools = append(pools, goredis.NewPool(c))
	}
	rs := redsync.New(pools...)
	for time.Now().Before(until) {
		m := rs.NewMutex("lock", redsync.WithExpiry(2*time.Second), redsync.WithTries(1))
		if err := timed(&took, func() error { return m.LockContext(ctx) }); err != nil {
			return nil, err
		}
		if _, err := m.UnlockContext(ctx); err != nil {
			return nil, err
		}
	}
	return took, nil
}

func bareEtcd(ctx context.Context, addrs []string, until time.Time) (took []time.Duration, err error) {
	c, err := clientv3.New(clientv3.Config{Endpoints: addrs, DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s, err := concurrency.NewSession(c, concurrency.WithTTL(2))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for time.Now().Before(until) {
		m := concurrency.NewMutex(s, "/lock")
		if err := timed(&took, func() error { return m.Lock(ctx) }); err != nil {
			return nil, err
		}
		if err := m.Unlock(ctx); err != nil {
			return nil, err
		}
	}
	return took, nil
}

// bareZooKeeper makes the node, reads the children and stats its own node for the token, as the recipe with a fencing
// token has to.
func bareZooKeeper(_ context.Context, addrs []string, until time.Time) (took []time.Duration, err error) {
	c, events, err := zk.Connect(addrs, 2*time.Second, zk.WithLogInfo(false))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for e := range events {
		if e.State == zk.StateHasSession {
			break
		}
	}
	acl := zk.WorldACL(zk.PermAll)
	if _, err := c.Create("/bare", nil, 0, acl); err != nil {
		return nil, err
	}
	for time.Now().Before(until) {
		var path string
		if err := timed(&took, func() error {
			var err error
			if path, err = c.Create("/bare/lock-", nil, zk.FlagEphemeral|zk.FlagSequence, acl); err != nil {
				return err
			}
			if _, _, err = c.Children("/bare"); err != nil {
				return err
			}
			_, _, err = c.Exists(path)
			return err
		}); err != nil {
			return nil, err
		}
		if err := c.Delete(path, -1); err != nil {
			return nil, err
		}
	}
	return took, nil
}

// bareRow locks the row, counts the token up in a transaction of its own, and asks whether the lock still holds.
func bareRow(ctx context.Context, addrs []string, until time.Time) (took []time.Duration, err error) {
	conf, err := pgsession.Config(addrs[0])
	if err != nil {
		return nil, err
	}
	lock, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return nil, err
	}
	defer lock.Close(ctx)
	count, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return nil, err
	}
	defer count.Close(ctx)
	for _, sql := range []string{
		"create table bare_lock (name text primary key)", "insert into bare_lock values ('a')",
		"create table bare_token (name text primary key, token bigint)", "insert into bare_token values ('a', 0)",
	} {
		if _, err := lock.Exec(ctx, sql); err != nil {
			return nil, err
		}
	}
	for time.Now().Before(until) {
		if err := timed(&took, func() error {
			var begin pgx.Batch
			begin.Queue("begin")
			begin.Queue("select from bare_lock where name = $1 for update", "a")
			if err := lock.SendBatch(ctx, &begin).Close(); err != nil {
				return err
			}
			if _, err := count.Exec(ctx, "update bare_token set token = token + 1 where name = $1", "a"); err != nil {
				return err
			}
			_, err := lock.Exec(ctx, "select 1")
			return err
		}); err != nil {
			return nil, err
		}
		if _, err := lock.Exec(ctx, "commit"); err != nil {
			return nil, err
		}
	}
	return took, nil
}

func bareAdvisory(ctx context.Context, addrs []string, until time.Time) (took []time.Duration, err error) {
	conf, err := pgsession.Config(addrs[0])
	if err != nil {
		return nil, err
	}
	c, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	for time.Now().Before(until) {
		if err := timed(&took, func() error { _, err := c.Exec(ctx, "select pg_advisory_lock($1)", 7); return err }); err != nil {
			return nil, err
		}
		if _, err := c.Exec(ctx, "select pg_advisory_unlock($1)", 7); err != nil {
			return nil, err
		}
	}
	return took, nil
}
