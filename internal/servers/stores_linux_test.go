package servers_test

import (
	"context"
	"errors"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/servers"
)

// place is where a server listens, and what it wants to know of a client.
type place struct {
	addr string
	as   drivers.Credentials
}

// store keeps one value in a server.
type store struct {
	set func(ctx context.Context, at place, value string) error
	// get returns "" if there is no value.
	get func(ctx context.Context, at place) (string, error)
}

var inRedis = store{
	set: func(ctx context.Context, at place, value string) error {
		c := goredis.NewClient(servers.RedisConfig(at.addr, at.as))
		defer c.Close()
		return c.Set(ctx, "key", value, 0).Err()
	},
	get: func(ctx context.Context, at place) (string, error) {
		c := goredis.NewClient(servers.RedisConfig(at.addr, at.as))
		defer c.Close()
		v, err := c.Get(ctx, "key").Result()
		if errors.Is(err, goredis.Nil) {
			return "", nil
		}
		return v, err
	},
}

func etcdClient(at place) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: []string{at.addr}, Token: at.as.Password, DialTimeout: time.Second, Logger: zap.NewNop()})
}

var inEtcd = store{
	set: func(ctx context.Context, at place, value string) error {
		c, err := etcdClient(at)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Put(ctx, "key", value)
		return err
	},
	get: func(ctx context.Context, at place) (string, error) {
		c, err := etcdClient(at)
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
func inZooKeeperSession(ctx context.Context, at place, f func(*zk.Conn) error) error {
	conn, events, err := zk.Connect([]string{at.addr}, 10*time.Second, zk.WithLogInfo(false), zk.WithLogger(quiet{}))
	if err != nil {
		return err
	}
	defer func() {
		conn.Close()
		for range events {
		}
	}()
	done := make(chan error, 1)
	go func() {
		err := conn.AddAuth("digest", []byte(at.as.User+":"+at.as.Password))
		if err == nil {
			err = f(conn)
		}
		done <- err
	}()
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
	set: func(ctx context.Context, at place, value string) error {
		return inZooKeeperSession(ctx, at, func(c *zk.Conn) error {
			_, err := c.Create("/key", []byte(value), 0, zk.AuthACL(zk.PermAll))
			if errors.Is(err, zk.ErrNodeExists) {
				_, err = c.Set("/key", []byte(value), -1)
			}
			return err
		})
	},
	get: func(ctx context.Context, at place) (value string, err error) {
		got := make(chan string, 1)
		err = inZooKeeperSession(ctx, at, func(c *zk.Conn) error {
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

func postgresConn(ctx context.Context, at place) (*pgx.Conn, error) {
	conf, err := servers.PostgresConfig(at.addr, at.as)
	if err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, conf)
}

var inPostgres = store{
	set: func(ctx context.Context, at place, value string) error {
		conn, err := postgresConn(ctx, at)
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
	get: func(ctx context.Context, at place) (value string, err error) {
		conn, err := postgresConn(ctx, at)
		if err != nil {
			return "", err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		err = conn.QueryRow(ctx, "select value from kept").Scan(&value)
		return value, err
	},
}
