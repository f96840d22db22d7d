package redissetnx

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/leasewatch"
	"github.com/lockbench/lockbench/drivers/internal/redisclient"
)

// Both scripts act only while the key holds the owner's value: a stranger's lock is left alone.
var (
	release = redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`)
	extend  = redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("pexpire", KEYS[1], ARGV[2]) end return 0`)
)

type lease struct {
	*leasewatch.Watch
	locker      *locker
	name, value string
}

// granted starts the watch over a lock whose SET was sent at that time.
func (l *locker) granted(name, value string, sent time.Time) *lease {
	g := &lease{locker: l, name: name, value: value}
	var renew leasewatch.Extend
	if l.renew {
		renew = g.extend
	}
	g.Watch = leasewatch.Start(l.open, leasewatch.End(sent, l.opt.TTL), l.opt.TTL/3, renew)
	return g
}

func (g *lease) extend(ctx context.Context) (time.Time, error) {
	sent := time.Now()
	defer redisclient.Heed(ctx, g.locker.client)()
	n, err := extend.Eval(ctx, g.locker.client, []string{g.locker.opt.Key(g.name)}, g.value, g.locker.opt.TTL.Milliseconds()).Int()
	if err == nil && n == 0 {
		err = fmt.Errorf("extend %s: %w: the key is gone or has another owner", g.name, drivers.ErrNotHeld)
	}
	return leasewatch.End(sent, g.locker.opt.TTL), err
}

// Token implements drivers.Lease.
func (*lease) Token() (uint64, bool) { return 0, false }

// Release implements drivers.Lease.
func (g *lease) Release(ctx context.Context) error {
	g.Stop(ctx) // an extension under way must not follow the delete
	defer redisclient.Heed(ctx, g.locker.client)()
	n, err := release.Eval(ctx, g.locker.client, []string{g.locker.opt.Key(g.name)}, g.value).Int()
	if err != nil {
		return fmt.Errorf("release %s: %w", g.name, err)
	}
	if n == 0 {
		return fmt.Errorf("release %s: %w: the key is gone or has another owner", g.name, drivers.ErrNotHeld)
	}
	return nil
}
