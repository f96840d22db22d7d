// Package etcd locks with etcd's own recipe, concurrency.Mutex (https://etcd.io/docs/latest/dev-guide/api_concurrency_reference_v3/):
// a key bound to the session's lease; the oldest key of the lock's prefix holds it. The fencing token is the revision at
// which the lock was got.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/zap"

	"github.com/lockbench/lockbench/drivers"
)

// grace is how long a call may outlive its context in order to learn what became of it, and how long a session's
// end waits for a server.
const grace = 500 * time.Millisecond

// Drivers lists the lock; it has no variants.
func Drivers() []drivers.Driver {
	return []drivers.Driver{{
		Info: drivers.Info{
			Name: "etcd", Title: "etcd",
			Summary: "concurrency.Mutex: a key bound to a lease that the client keeps alive",
			Backend: drivers.Etcd, Nodes: 3, Token: "revision of the lock's key",
			Lease: true, Renewed: true, MinTTL: 2 * time.Second, Scope: drivers.ScopeSession,
			Reentrant: true, // a session has one key in each lock
			// The transaction that makes the key also says whether it is the oldest.
			RoundTrips: 1,
		},
		Open: open,
	}}
}

func open(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   addrs,
		DialTimeout: opt.TTL,
		// Without keep-alives a connection that was cut looks healthy for as long as TCP lets it. gRPC raises the
		// first to 10 s.
		DialKeepAliveTime:    opt.TTL,
		DialKeepAliveTimeout: opt.TTL,
		Logger:               zap.NewNop(),
	})
	if err != nil {
		return nil, fmt.Errorf("make a client of etcd: %w", err)
	}
	seconds := int64((opt.TTL + time.Second - 1) / time.Second)
	lease, err := client.Grant(ctx, seconds)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("get a lease from etcd: %w", err), client.Close())
	}
	session, err := concurrency.NewSession(client, concurrency.WithLease(lease.ID), concurrency.WithTTL(int(seconds)))
	if err != nil || session == nil {
		return nil, errors.Join(errors.New("keep the lease of etcd alive"), err, client.Close())
	}
	return &locker{client: client, session: session}, nil
}

type locker struct {
	client  *clientv3.Client
	session *concurrency.Session
}

// Acquire implements drivers.Locker.
//
// Mutex.Lock deletes its key when its context ends as it waits, on the client's own context: across a cut that takes
// as long as the cut. So it runs beside, and what it leaves behind ends with Close.
func (l *locker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, drivers.NotAcquired(fmt.Errorf("ask etcd for %s: %w", name, err)) // nothing was sent
	}
	m := concurrency.NewMutex(l.session, "/lockbench/"+name)
	done := make(chan error, 1)
	go func() { done <- m.Lock(ctx) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case err = <-done:
		case <-t.C:
			return nil, fmt.Errorf("ask etcd for %s: %w; nobody knows whether the key was deleted", name, ctx.Err())
		}
	}
	switch {
	case err == nil:
		return &lease{locker: l, name: name, mutex: m, token: uint64(m.Header().Revision)}, nil
	case m.Key() == deleted && l.alive():
		return nil, drivers.NotAcquired(fmt.Errorf("ask etcd for %s: %w", name, err))
	default:
		return nil, fmt.Errorf("ask etcd for %s: %w", name, err)
	}
}

// deleted is what concurrency.Mutex calls its key once a server has confirmed that it was deleted.
const deleted = "\x00"

// alive reports whether the session can still lock. One that cannot must be told from a lock that was busy, or its
// owner would ask again for ever.
func (l *locker) alive() bool {
	select {
	case <-l.session.Done():
		return false
	default:
		return true
	}
}

// Close implements drivers.Locker. The lease is revoked if a server can be reached at once; else it expires.
func (l *locker) Close() error {
	l.session.Orphan()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	_, err := l.client.Revoke(ctx, l.session.Lease())
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		err = nil // it has expired
	}
	return errors.Join(err, l.client.Close())
}

type lease struct {
	locker *locker
	name   string
	mutex  *concurrency.Mutex
	token  uint64
}

// Token implements drivers.Lease.
func (g *lease) Token() (uint64, bool) { return g.token, true }

// Lost implements drivers.Lease. It closes as late as the stock client learns it.
func (g *lease) Lost() <-chan struct{} { return g.locker.session.Done() }

// Release implements drivers.Lease. It deletes the key in one round trip as Mutex.Unlock does, which does not tell
// whether it was there, nor whether it was that of a later grant in the same session.
func (g *lease) Release(ctx context.Context) error {
	resp, err := g.locker.client.Txn(ctx).If(g.mutex.IsOwner()).Then(clientv3.OpDelete(g.mutex.Key())).Commit()
	if err != nil {
		return fmt.Errorf("release %s: %w", g.name, err)
	}
	if !resp.Succeeded {
		return fmt.Errorf("release %s: %w: its key is gone", g.name, drivers.ErrNotHeld)
	}
	return nil
}
