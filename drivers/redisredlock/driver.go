// Package redisredlock locks with Redlock (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/): the
// same key on a majority of five independent masters, through github.com/go-redsync/redsync. It has no fencing token.
package redisredlock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-redsync/redsync/v4"
	rsredis "github.com/go-redsync/redsync/v4/redis"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/redisclient"
	"github.com/lockbench/lockbench/internal/topology"
)

// nodes is how many masters the published algorithm is described for.
const nodes = 5

const (
	quorum = nodes/2 + 1
	// blocking is how many masters without our value prove that no quorum holds it.
	blocking = nodes - quorum + 1
)

// Drivers lists the lock and its variant.
func Drivers() []drivers.Driver {
	info := drivers.Info{
		Name: "redis-redlock", Title: "Redis Redlock",
		Summary: "the same key on a majority of five masters (redsync); never renewed",
		Backend: drivers.Redis, Topology: topology.Of(topology.Equal, nodes), Lease: true, LossBy: drivers.LossByLockbench,
		Scope: drivers.ScopeKey, RoundTrips: 1, Connections: 5,
	}
	renewed := info
	renewed.Name, renewed.Title, renewed.Renewed = "redis-redlock+renew", "Redis Redlock (renewed)", true
	renewed.Summary = "the same key on a majority of five masters (redsync); extended every third of the TTL"
	return []drivers.Driver{{Info: info, Open: opener(false)}, {Info: renewed, Open: opener(true)}}
}

// The bounds of the pause between two attempts. It is drawn evenly.
const (
	retryMin = 5 * time.Millisecond
	retryMax = 20 * time.Millisecond
)

func opener(renew bool) func(context.Context, []string, drivers.Options) (drivers.Locker, error) {
	return func(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
		if len(addrs) != nodes {
			return nil, fmt.Errorf("%d servers given, redis-redlock has %d", len(addrs), nodes)
		}
		l := &locker{opt: opt, renew: renew}
		l.open, l.end = context.WithCancel(context.Background())
		pools := make([]rsredis.Pool, len(addrs))
		for i, addr := range addrs {
			client := redisclient.New(addr, opt.Credentials)
			l.clients = append(l.clients, client)
			pools[i] = goredis.NewPool(client.Client)
		}
		l.redsync = redsync.New(pools...)
		if err := l.reachable(ctx); err != nil {
			return nil, errors.Join(err, l.Close())
		}
		return l, nil
	}
}

type locker struct {
	clients []*redisclient.Client
	redsync *redsync.Redsync
	opt     drivers.Options
	renew   bool
	open    context.Context // until Close
	end     func()
}

// reachable connects to the masters and fails unless a quorum answers. After that the others get as long as redsync
// gives each master in an attempt. A master out of reach must not keep anybody from locking.
func (l *locker) reachable(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var pings sync.WaitGroup
	defer pings.Wait()
	defer cancel()
	answers := make(chan error, len(l.clients))
	for _, c := range l.clients {
		pings.Go(func() {
			defer redisclient.Heed(ctx, c)()
			answers <- c.Ping(ctx).Err()
		})
	}
	up := 0
	var errs []error
	for range l.clients {
		if err := <-answers; err != nil {
			errs = append(errs, err)
		} else if up++; up == quorum {
			defer time.AfterFunc(l.opt.TTL/20, cancel).Stop()
		}
	}
	if up >= quorum {
		return nil
	}
	return fmt.Errorf("connect to Redis: %d of %d masters answer, it takes %d: %w", up, len(l.clients), quorum, errors.Join(errs...))
}

// Acquire implements drivers.Locker.
//
// An attempt that does not win a quorum is never granted later, because the client counts the answers. It is reported
// as not acquired only if no quorum can hold its value. Masters that did not answer may hold it. If they and those
// that said yes are a quorum, rivals may be blocked until the TTL has passed. A value on fewer masters only costs the
// next attempts some votes; redsync asks these masters to delete it.
func (l *locker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	var doubt error // of the attempts so far
	for {
		err := ctx.Err()
		if err == nil {
			err = l.open.Err()
		}
		switch {
		case err != nil && doubt != nil:
			return nil, fmt.Errorf("ask Redis for %s: %w: no quorum, and not enough answers to tell: %w", name, err, doubt)
		case err != nil:
			return nil, drivers.NotAcquired(err)
		}
		mutex, err := l.attempt(ctx, name)
		if err == nil {
			return l.granted(name, mutex), nil
		}
		if masters(err, refusedOrUnsent) < blocking {
			doubt = err
		}
		t := time.NewTimer(retryMin + time.Duration(l.opt.Rand.Int64N(int64(retryMax-retryMin))))
		select {
		case <-t.C:
		case <-ctx.Done():
		case <-l.open.Done():
		}
		t.Stop()
	}
}

// attempt asks every master once, with a value of its own.
func (l *locker) attempt(ctx context.Context, name string) (*redsync.Mutex, error) {
	mutex := l.redsync.NewMutex(l.opt.Key(name),
		redsync.WithExpiry(l.opt.TTL), redsync.WithTries(1),
		redsync.WithGenValueFunc(func() (string, error) { return redisclient.OwnerValue(l.opt.Rand), nil }))
	defer redisclient.Heed(ctx, l.clients...)()
	return mutex, mutex.LockContext(ctx)
}

// masters counts the masters whose answer is of that kind. redsync joins one error per master. If a quorum refused,
// it names only those that refused.
func masters(err error, kind func(error) bool) int {
	switch e := err.(type) {
	case nil:
		return 0
	case *redsync.ErrTaken:
		return len(e.Nodes)
	case interface{ Unwrap() []error }:
		n := 0
		for _, part := range e.Unwrap() {
			n += masters(part, kind)
		}
		return n
	}
	if kind(err) {
		return 1
	}
	return 0
}

// refused reports whether the master says that its key has another value, or that there is none to extend.
func refused(err error) bool {
	var taken *redsync.ErrNodeTaken
	return errors.As(err, &taken)
}

func refusedOrUnsent(err error) bool { return refused(err) || redisclient.Unsent(err) }

func refusedOrExpired(err error) bool {
	return refused(err) || errors.Is(err, redsync.ErrLockAlreadyExpired)
}

// Close implements drivers.Locker. What is held stays locked until its TTL has passed.
func (l *locker) Close() error {
	l.end()
	errs := make([]error, len(l.clients))
	for i, c := range l.clients {
		errs[i] = c.Close()
	}
	return errors.Join(errs...)
}
