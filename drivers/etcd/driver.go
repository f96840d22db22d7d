// Package etcd locks with etcd's own recipe, concurrency.Mutex
// (https://etcd.io/docs/latest/dev-guide/api_concurrency_reference_v3/): a key bound to the session's lease; the
// oldest key of the lock's prefix holds it. The fencing token is the revision at which the lock was got.
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
	"github.com/lockbench/lockbench/drivers/internal/leasewatch"
	"github.com/lockbench/lockbench/internal/topology"
)

// grace is how long a call may outlive its context in order to learn what became of it, and how long a session's
// end waits for a server.
const grace = 500 * time.Millisecond

// Drivers lists the lock and its variant.
func Drivers() []drivers.Driver {
	info := drivers.Info{
		Name: "etcd", Title: "etcd",
		Summary: "concurrency.Mutex: a key bound to a lease that the client keeps alive",
		Backend: drivers.Etcd, Topology: topology.Of(topology.Voter, 3), Token: "revision of the lock's key",
		Lease: true, Renewed: true, LossBy: drivers.LossByLibrary, LateLoss: true, MinTTL: 2 * time.Second,
		Scope:     drivers.ScopeSession,
		Reentrant: true, OneRelease: true, // a session has one key in each lock
		// The transaction that makes the key also says whether it is the oldest.
		RoundTrips: 1, Connections: 4,
	}
	deadline := info
	deadline.Name, deadline.Title, deadline.LossBy, deadline.LateLoss = "etcd+deadline", "etcd (deadline)", drivers.LossByLockbench, false
	deadline.Summary = "concurrency.Mutex; lockbench keeps the lease alive, and counts its end from before each request"
	return []drivers.Driver{{Info: info, Open: opener(false)}, {Info: deadline, Open: opener(true)}}
}

func opener(deadline bool) func(context.Context, []string, drivers.Options) (drivers.Locker, error) {
	return func(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
		l, err := open(ctx, addrs, opt, deadline)
		if err != nil {
			return nil, err
		}
		return l, nil
	}
}

// open makes a session. With a deadline lockbench keeps its lease alive, and tells its end in time.
func open(ctx context.Context, addrs []string, opt drivers.Options, deadline bool) (*locker, error) {
	conf := clientv3.Config{
		Endpoints:   addrs,
		DialTimeout: opt.TTL,
		// Without keep-alives a connection that was cut looks healthy for as long as TCP lets it. gRPC raises the
		// first to 10 s.
		DialKeepAliveTime:    opt.TTL,
		DialKeepAliveTimeout: opt.TTL,
		Logger:               zap.NewNop(),
	}
	if opt.Credentials.User != "" {
		conf.Username, conf.Password = opt.Credentials.User, opt.Credentials.Password
	} else {
		conf.Token = opt.Credentials.Password // it goes with every request, and takes no round trip to get
	}
	client, err := clientv3.New(conf)
	if err != nil {
		return nil, fmt.Errorf("make a client of etcd: %w", err)
	}
	seconds := int64((opt.TTL + time.Second - 1) / time.Second)
	sent := time.Now()
	lease, err := client.Grant(ctx, seconds)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("get a lease from etcd: %w", err), client.Close())
	}
	session, err := concurrency.NewSession(client, concurrency.WithLease(lease.ID), concurrency.WithTTL(int(seconds)))
	if err != nil || session == nil {
		return nil, errors.Join(errors.New("keep the lease of etcd alive"), err, client.Close())
	}
	l := &locker{client: client, session: session, opt: opt, lost: session.Done()}
	if deadline {
		session.Orphan() // the stock client stops keeping the lease alive
		l.keepAlive(sent, time.Duration(seconds)*time.Second)
	}
	return l, nil
}

type locker struct {
	client  *clientv3.Client
	session *concurrency.Session
	opt     drivers.Options
	lost    <-chan struct{}   // closed when the session's lease may have ended
	watch   *leasewatch.Watch // nil: the stock client keeps the lease alive
}

// keepAlive extends the lease, which was asked for at that time, until Close.
func (l *locker) keepAlive(sent time.Time, ttl time.Duration) {
	l.watch = leasewatch.Start(l.client.Ctx(), leasewatch.End(sent, ttl), ttl/3, func(ctx context.Context) (time.Time, error) {
		sent := time.Now()
		_, err := l.client.KeepAliveOnce(ctx, l.session.Lease())
		if errors.Is(err, rpctypes.ErrLeaseNotFound) {
			err = fmt.Errorf("%w: %w", drivers.ErrNotHeld, err)
		}
		return leasewatch.End(sent, ttl), err
	})
	l.lost = l.watch.Lost()
}

// Acquire implements drivers.Locker.
//
// Mutex.Lock deletes its key when its context ends as it waits, on the client's own context: across a cut that takes
// as long as the cut. So it runs beside, and what it leaves behind ends with Close.
func (l *locker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, drivers.NotAcquired(fmt.Errorf("ask etcd for %s: %w", name, err)) // nothing was sent
	}
	if l.watch != nil && !l.alive() { // the stock client's Lock asks for its own session
		return nil, fmt.Errorf("ask etcd for %s: the session's lease may have ended", name)
	}
	m := concurrency.NewMutex(l.session, "/lockbench/"+l.opt.Key(name))
	done := make(chan error, 1)
	go func() {
		ctx, cancel := l.untilClosed(ctx)
		defer cancel()
		done <- m.Lock(ctx)
	}()
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

// untilClosed is ctx, but it ends with Close, too. After its own end the stock client repeats a call for seconds.
func (l *locker) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.client.Ctx(), cancel)
	return ctx, func() { stop(); cancel() }
}

// deleted is what concurrency.Mutex calls its key once a server has confirmed that it was deleted.
const deleted = "\x00"

// alive reports whether the session can still lock. One that cannot must be told from a lock that was busy, or its
// owner would ask again for ever.
func (l *locker) alive() bool {
	select {
	case <-l.lost:
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
	if l.watch != nil {
		l.watch.Stop(ctx)
	}
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

// Lost implements drivers.Lease. Without a deadline it closes when the stock client ends its session, which may be more
// than a second after the lease's end: the client counts the TTL from when the answer to a keep-alive came, not from when
// it asked, and looks once a second whether it has passed. Before the first answer it waits for the dial time-out and a
// second.
func (g *lease) Lost() <-chan struct{} { return g.locker.lost }

// Release implements drivers.Lease. It deletes the key in one round trip as Mutex.Unlock does, which does not tell
// whether it was there, nor whether it was that of a later grant in the same session.
func (g *lease) Release(ctx context.Context) error {
	ctx, cancel := g.locker.untilClosed(ctx)
	defer cancel()
	resp, err := g.locker.client.Txn(ctx).If(g.mutex.IsOwner()).Then(clientv3.OpDelete(g.mutex.Key())).Commit()
	if err != nil {
		return fmt.Errorf("release %s: %w", g.name, err)
	}
	if !resp.Succeeded {
		return fmt.Errorf("release %s: %w: its key is gone", g.name, drivers.ErrNotHeld)
	}
	return nil
}
