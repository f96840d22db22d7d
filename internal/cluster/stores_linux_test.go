package cluster_test

import (
	"context"
	"errors"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/lockbench/lockbench/internal/pgsession"
	"github.com/lockbench/lockbench/internal/redisclient"
)

// store keeps one value in a server.
type store struct {
	set func(ctx context.Context, addr, value string) error
	// get returns "" if there is no value.
	get func(ctx context.Context, addr string) (string, error)
}

var inRedis = store{
	set: func(ctx context.Context, addr, value string) error {
		c := redisclient.New(addr)
		defer c.Close()
		return c.Set(ctx, "key", value, 0).Err()
	},
	get: func(ctx context.Context, addr string) (string, error) {
		c := redisclient.New(addr)
		defer c.Close()
		v, err := c.Get(ctx, "key").Result()
		if errors.Is(err, goredis.Nil) {
			return "", nil
		}
		return v, err
	},
}

func etcdClient(addr string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: []string{addr}, DialTimeout: time.Second, Logger: zap.NewNop()})
}

var inEtcd = store{
	set: func(ctx context.Context, addr, value string) error {
		c, err := etcdClient(addr)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Put(ctx, "key", value)
		return err
	},
	get: func(ctx context.Context, addr string) (string, error) {
		c, err := etcdClient(addr)
		if err != nil {
			return "", err
		}
		defer c.Close()
		got, err := c.Get(ctx, "key")
		if err != nil || got.Count == 0 {
			return "", err
		}
		return string(got.Kvs[0].Value), nil
	},
}

// inZooKeeperSession calls f in a session of its own.
func inZooKeeperSession(ctx context.Context, addr string, f func(*zk.Conn) error) error {
	conn, events, err := zk.Connect([]string{addr}, 10*time.Second, zk.WithLogInfo(false), zk.WithLogger(quiet{}))
	if err != nil {
		return err
	}
	defer func() {
		conn.Close()
		for range events {
		}
	}()
	done := make(chan error, 1)
	go func() { done <- f(conn) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

var inZooKeeper = store{
	set: func(ctx context.Context, addr, value string) error {
		return inZooKeeperSession(ctx, addr, func(c *zk.Conn) error {
			_, err := c.Create("/key", []byte(value), 0, zk.WorldACL(zk.PermAll))
			if errors.Is(err, zk.ErrNodeExists) {
				_, err = c.Set("/key", []byte(value), -1)
			}
			return err
		})
	},
	get: func(ctx context.Context, addr string) (value string, err error) {
		got := make(chan string, 1)
		err = inZooKeeperSession(ctx, addr, func(c *zk.Conn) error {
			b, _, err := c.Get("/key")
			if errors.Is(err, zk.ErrNoNode) {
				err = nil
			}
			got <- string(b)
			return err
		})
		if err == nil {
			value = <-got
		}
		return value, err
	},
}

func postgresConn(ctx context.Context, addr string) (*pgx.Conn, error) {
	conf, err := pgsession.Config(addr)
	if err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, conf)
}

var inPostgres = store{
	set: func(ctx context.Context, addr, value string) error {
		conn, err := postgresConn(ctx, addr)
		if err != nil {
			return err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		_, err = conn.Exec(ctx, "create table if not exists kept (value text)")
		if err == nil {
			_, err = conn.Exec(ctx, "insert into kept values ($1)", value)
		}
		return err
	},
	get: func(ctx context.Context, addr string) (value string, err error) {
		conn, err := postgresConn(ctx, addr)
		if err != nil {
			return "", err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		err = conn.QueryRow(ctx, "select value from kept").Scan(&value)
		return value, err
	},
}
