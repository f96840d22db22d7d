// Package redissetnx locks with one Redis key: SET NX PX with a random value, and a script that deletes the key
// only if it still holds that value (https://redis.io/docs/latest/commands/set/#patterns). It has no fencing token.
package redissetnx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/redisclient"
	"github.com/lockbench/lockbench/internal/topology"
)

// Drivers lists the lock and its variant.
func Drivers() []drivers.Driver {
	info := drivers.Info{
		Name: "redis-setnx", Title: "Redis SETNX",
		Summary: "SET NX PX with a random owner value; never renewed",
		Backend: drivers.Redis, Topology: topology.Of(topology.Single, 1), Lease: true, LossBy: drivers.LossByLockbench,
		Scope: drivers.ScopeKey, RoundTrips: 1,
	}
	renewed := info
	renewed.Name, renewed.Title, renewed.Renewed = "redis-setnx+renew", "Redis SETNX (renewed)", true
	renewed.Summary = "SET NX PX with a random owner value; a watchdog extends it every third of the TTL"
	return []drivers.Driver{{Info: info, Open: opener(false)}, {Info: renewed, Open: opener(true)}}
}

// The bounds of the pause between two attempts. It is drawn evenly. Redis has no queue: whoever asks next may get it.
const (
	retryMin = 2 * time.Millisecond
	retryMax = 8 * time.Millisecond
)

func opener(renew bool) func(context.Context, []string, drivers.Options) (drivers.Locker, error) {
	return func(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
		if len(addrs) != 1 {
			return nil, fmt.Errorf("%d servers given, redis-setnx has one", len(addrs))
		}
		client := redisclient.New(addrs[0], opt.Credentials)
		defer redisclient.Heed(ctx, client)()
		if err := client.Ping(ctx).Err(); err != nil {
			return nil, errors.Join(fmt.Errorf("connect to Redis at %s: %w", addrs[0], err), client.Close())
		}
		l := &locker{client: client, opt: opt, renew: renew}
		l.open, l.end = context.WithCancel(context.Background())
		return l, nil
	}
}

type locker struct {
	client *redisclient.Client
	opt    drivers.Options
	renew  bool
	open   context.Context // until Close
	end    func()
}

// Acquire implements drivers.Locker.
func (l *locker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	value := redisclient.OwnerValue(l.opt.Rand)
	for {
		if err := ctx.Err(); err != nil {
			return nil, drivers.NotAcquired(err) // every SET so far was answered "not set"
		}
		sent := time.Now()
		err := l.set(ctx, name, value)
		switch {
		case err == nil && time.Since(sent) >= l.opt.TTL:
			return nil, fmt.Errorf("ask Redis for %s: it was granted too late: the reply took longer than the TTL", name)
		case err == nil:
			return l.granted(name, value, sent), nil
		case redisclient.Unsent(err):
			return nil, drivers.NotAcquired(fmt.Errorf("ask Redis for %s: %w", name, err))
		case !errors.Is(err, redis.Nil):
			// The server may hold our value, or may yet come to; it expires by itself.
			return nil, fmt.Errorf("ask Redis for %s: %w", name, err)
		}
		t := time.NewTimer(retryMin + time.Duration(l.opt.Rand.Int64N(int64(retryMax-retryMin))))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
}

// set returns redis.Nil if somebody has the lock.
func (l *locker) set(ctx context.Context, name, value string) error {
	defer redisclient.Heed(ctx, l.client)()
	return l.client.SetArgs(ctx, l.opt.Key(name), value, redis.SetArgs{Mode: "NX", TTL: l.opt.TTL}).Err()
}

// Close implements drivers.Locker. What is held stays locked until its TTL has passed.
func (l *locker) Close() error {
	l.end()
	return l.client.Close()
}
