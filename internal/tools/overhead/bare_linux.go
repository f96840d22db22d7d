package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
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

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/servers"
)

// ttl is the length of all leases and sessions.
const ttl = 2 * time.Second

// lock is a lock as a user of the client library would write it.
type lock struct{ acquire, release func(context.Context) error }

// cluster are where the bare client finds its lock.
type cluster struct {
	Addrs       []string
	Credentials drivers.Credentials
}

// opening is what a bare client is told first.
type opening struct {
	Driver string
	cluster
	// Store is the address of the resource; empty: the client does nothing under the lock.
	Store, Secret string
}

// bareLocks open the lock of each driver.
func bareLocks() map[string]func(context.Context, opening) (lock, error) {
	return map[string]func(context.Context, opening) (lock, error){
		"redis-setnx": bareSETNX, "redis-redlock": bareRedlock, "etcd": bareEtcd, "zookeeper": bareZooKeeper,
		"postgres-advisory": bareAdvisory, "postgres-row": bareRow,
	}
}

// worker is a bare client at work: under the lock it reads from a resource and writes to it, as lockbench's workers do.
type worker struct {
	lock
	resource *resource.Client // nil: it does nothing under the lock
	grants   int64
}

// runBare is a process that acquires and releases a lock for as long as each line of in says (nanoseconds, in JSON),
// and then writes the p50 of its acquires. The first line is its opening. The process keeps its session with the
// servers between two lines.
func runBare(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	if !lines.Scan() {
		return lines.Err()
	}
	var o opening
	if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
		return fmt.Errorf("read the opening: %w", err)
	}
	l, err := bareLocks()[o.Driver](ctx, o)
	if err != nil {
		return fmt.Errorf("open the bare lock: %w", err)
	}
	w := worker{lock: l}
	if o.Store != "" {
		w.resource = resource.NewClient(o.Store, o.Secret)
	}
	enc := json.NewEncoder(out)
	for lines.Scan() {
		var d time.Duration
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return err
		}
		p50, err := w.slice(ctx, d)
		if err == nil {
			err = enc.Encode(p50)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// patience bounds each call, as everybody does who takes a lock: a context that can end costs the client libraries time.
const patience = time.Second

// slice acquires and releases for that long and returns the p50 of the acquires that were granted: on a busy machine
// one may time out.
func (w *worker) slice(ctx context.Context, d time.Duration) (time.Duration, error) {
	var took []time.Duration
	last := errors.New("no time for an acquire")
	for until := time.Now().Add(d); time.Now().Before(until); {
		t, err := bounded(ctx, w.acquire)
		if err != nil {
			last = err
			continue
		}
		took = append(took, t)
		if _, err := bounded(ctx, w.work); err != nil {
			return 0, err
		}
		if _, err := bounded(ctx, w.release); err != nil {
			return 0, err
		}
	}
	if len(took) == 0 {
		return 0, last
	}
	return p50(took), nil
}

// bounded calls f with a context that ends, and says how long f took.
func bounded(ctx context.Context, f func(context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	err := f(ctx)
	return time.Since(began), err
}

// work is what the lock protects.
func (w *worker) work(ctx context.Context) error {
	if w.resource == nil {
		return nil
	}
	w.grants++
	req := resource.Request{F: history.Read, Lock: bare, Grant: w.grants, Request: 1}
	read, err := w.resource.Do(ctx, &req)
	if err != nil {
		return err
	}
	req.F, req.Request, req.Base, req.Value = history.Write, 2, read.Version, read.Value+1
	_, err = w.resource.Do(ctx, &req)
	return err
}

// p50 is the median by nearest rank; 0 of nothing.
func p50(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[(len(took)-1)/2]
}

func redisClient(addr string, as drivers.Credentials) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: addr, Username: as.User, Password: as.Password, MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true,
	})
}

func bareSETNX(_ context.Context, o opening) (lock, error) {
	c := redisClient(o.Addrs[0], o.Credentials)
	release := redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`)
	n := 0
	value := func() string { return fmt.Sprintf("%d-%d", os.Getpid(), n) }
	return lock{func(ctx context.Context) error {
		n++
		return c.SetArgs(ctx, "bare", value(), redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
	}, func(ctx context.Context) error {
		return release.Run(ctx, c, []string{"bare"}, value()).Err()
	}}, nil
}

func bareRedlock(_ context.Context, o opening) (lock, error) {
	var pools []rsredis.Pool
	for _, a := range o.Addrs {
		pools = append(pools, goredis.NewPool(redisClient(a, o.Credentials)))
	}
	rs := redsync.New(pools...)
	var m *redsync.Mutex
	return lock{func(ctx context.Context) error {
		m = rs.NewMutex("bare", redsync.WithExpiry(ttl), redsync.WithTries(1))
		return m.LockContext(ctx)
	}, func(ctx context.Context) error {
		_, err := m.UnlockContext(ctx)
		return err
	}}, nil
}

func bareEtcd(_ context.Context, o opening) (lock, error) {
	c, err := clientv3.New(clientv3.Config{Endpoints: o.Addrs, Token: o.Credentials.Password, DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
	if err != nil {
		return lock{}, err
	}
	s, err := concurrency.NewSession(c, concurrency.WithTTL(int(ttl.Seconds())))
	if err != nil {
		return lock{}, err
	}
	var m *concurrency.Mutex
	return lock{func(ctx context.Context) error {
		m = concurrency.NewMutex(s, "/bare")
		return m.Lock(ctx)
	}, func(ctx context.Context) error {
		return m.Unlock(ctx)
	}}, nil
}

// bareZooKeeper makes the node, reads the children, and asks for its own node's token, as the recipe with a fencing
// token has to.
func bareZooKeeper(_ context.Context, o opening) (lock, error) {
	c, events, err := zk.Connect(o.Addrs, ttl, zk.WithLogInfo(false))
	if err != nil {
		return lock{}, err
	}
	for e := range events {
		if e.State == zk.StateHasSession {
			break
		}
	}
	if err := c.AddAuth("digest", []byte(o.Credentials.User+":"+o.Credentials.Password)); err != nil {
		return lock{}, err
	}
	acl := zk.DigestACL(zk.PermAll, o.Credentials.User, o.Credentials.Password)
	if _, err := c.Create("/bare", nil, 0, acl); err != nil {
		return lock{}, err
	}
	var path string
	return lock{func(context.Context) (err error) {
		if path, err = c.Create("/bare/lock-", nil, zk.FlagEphemeral|zk.FlagSequence, acl); err != nil {
			return err
		}
		if _, _, err = c.Children("/bare"); err != nil {
			return err
		}
		_, _, err = c.Exists(path)
		return err
	}, func(context.Context) error {
		return c.Delete(path, -1)
	}}, nil
}

// connect opens n connections to a PostgreSQL server.
func connect(ctx context.Context, o opening, n int) (conns []*pgx.Conn, err error) {
	conf, err := servers.PostgresConfig(o.Addrs[0], o.Credentials)
	for range n {
		c, dialled := pgx.ConnectConfig(ctx, conf)
		conns, err = append(conns, c), errors.Join(err, dialled)
	}
	return conns, err
}

// bareRow locks the row, counts the token up in a transaction of its own, and asks whether the lock still holds.
func bareRow(ctx context.Context, o opening) (lock, error) {
	conns, err := connect(ctx, o, 2)
	if err != nil {
		return lock{}, err
	}
	row, count := conns[0], conns[1]
	for _, sql := range []string{
		"create table bare_lock (name text primary key)", "insert into bare_lock values ('a')",
		"create table bare_token (name text primary key, token bigint)", "insert into bare_token values ('a', 0)",
	} {
		if _, err := row.Exec(ctx, sql); err != nil {
			return lock{}, err
		}
	}
	return lock{func(ctx context.Context) error {
		var begin pgx.Batch
		begin.Queue("begin")
		begin.Queue("select from bare_lock where name = $1 for update", "a")
		if err := row.SendBatch(ctx, &begin).Close(); err != nil {
			return err
		}
		if _, err := count.Exec(ctx, "update bare_token set token = token + 1 where name = $1", "a"); err != nil {
			return err
		}
		_, err := row.Exec(ctx, "select 1")
		return err
	}, func(ctx context.Context) error {
		_, err := row.Exec(ctx, "commit")
		return err
	}}, nil
}

func bareAdvisory(ctx context.Context, o opening) (lock, error) {
	conns, err := connect(ctx, o, 1)
	if err != nil {
		return lock{}, err
	}
	return lock{func(ctx context.Context) error {
		_, err := conns[0].Exec(ctx, "select pg_advisory_lock($1)", 7)
		return err
	}, func(ctx context.Context) error {
		_, err := conns[0].Exec(ctx, "select pg_advisory_unlock($1)", 7)
		return err
	}}, nil
}
