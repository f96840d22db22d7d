// Package postgreslease locks with a row that has an owner, an expiry and a fencing counter, as ShedLock's provider
// for JDBC does (https://github.com/lukas-krecan/ShedLock): whoever finds the expiry in the past takes the row, in
// one statement, which the row's own lock makes atomic. Whose clock says what is past is the point: the server's, or
// each client's own.
//
// The row stays when the lock is given back, so that the counter never repeats. It is committed before the grant is
// told, and so survives a crash of the server as the lock itself does.
package postgreslease

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/pgsession"
	"github.com/lockbench/lockbench/internal/topology"
)

// Drivers lists the lock and its variants.
func Drivers() []drivers.Driver {
	info := drivers.Info{
		Name: "postgres-lease", Title: "Postgres lease",
		Summary: "a row with owner and expiry, which the server's clock decides; never renewed",
		Backend: drivers.Postgres, Topology: topology.Of(topology.Single, 1), Token: "counter in the lock's row", Lease: true,
		LossBy: drivers.LossByLockbench, Scope: drivers.ScopeKey, RoundTrips: 1,
	}
	renewed := info
	renewed.Name, renewed.Title, renewed.Renewed = "postgres-lease+renew", "Postgres lease (renewed)", true
	renewed.Summary = "a row with owner and expiry, which the server's clock decides; extended every third of the TTL"
	client := info
	client.Name, client.Title = "postgres-lease+client-time", "Postgres lease (client time)"
	client.Summary = "a row with owner and expiry, which the clock of each client decides; never renewed"
	return []drivers.Driver{
		{Info: info, Open: opener(serverTime, false)}, {Info: renewed, Open: opener(serverTime, true)}, {Info: client, Open: opener(clientTime, false)},
	}
}

// clock is the wall clock by which a client compares expiries; nil: the server uses its own.
type clock func() *time.Time

func serverTime() *time.Time { return nil }

func clientTime() *time.Time {
	now := time.Now()
	return &now
}

// The statements. now is the client's clock, or null.
const (
	now = "coalesce($3::timestamptz, clock_timestamp())"
	end = now + " + $4::bigint * interval '1 microsecond'"

	takeSQL = `insert into lockbench_lease as l (name, owner, expires, token) values ($1, $2, ` + end + `, 1)
		on conflict (name) do update set owner = $2, expires = ` + end + `, token = l.token + 1 where l.expires <= ` + now + `
		returning token`
	extendSQL  = "update lockbench_lease set expires = " + end + " where name = $1 and owner = $2 and token = $5 and expires > " + now
	releaseSQL = "update lockbench_lease set expires = '-infinity' where name = $1 and owner = $2 and token = $4 and expires > " + now

	table = "create table if not exists lockbench_lease (name text primary key, owner text not null, expires timestamptz not null, token bigint not null)"
)

// The bounds of the pause between two attempts. It is drawn evenly. There is no queue: whoever asks next may get it.
const (
	retryMin = 5 * time.Millisecond
	retryMax = 15 * time.Millisecond
)

func opener(now clock, renew bool) func(context.Context, []string, drivers.Options) (drivers.Locker, error) {
	return func(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
		if err := pgsession.CreateTables(ctx, addrs, opt, table); err != nil {
			return nil, err
		}
		client, err := pgsession.Connect(ctx, addrs, opt, takeSQL, extendSQL, releaseSQL)
		if err != nil {
			return nil, err
		}
		l := &locker{client: client, ttl: opt.TTL, random: opt.Rand, now: now, renew: renew}
		l.open, l.end = context.WithCancel(context.Background())
		return l, nil
	}
}

type locker struct {
	client *pgsession.Client
	ttl    time.Duration
	random *rand.Rand
	now    clock
	renew  bool
	open   context.Context // until Close
	end    func()
}

// Acquire implements drivers.Locker. It asks for the last time when there is still time for an answer: a question
// that is broken off proves nothing.
func (l *locker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	owner := fmt.Sprintf("%016x%016x", l.random.Uint64(), l.random.Uint64())
	limit := pgsession.WaitLimit(ctx)
	began := time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return nil, drivers.NotAcquired(err) // every question so far was answered: somebody has it
		}
		sent := time.Now()
		if limit > 0 && sent.Sub(began) > limit {
			return nil, drivers.NotAcquired(fmt.Errorf("take the lease %q: somebody has had it for %v", name, limit))
		}
		token, err := l.take(ctx, name, owner)
		switch {
		case err == nil && time.Since(sent) >= l.ttl:
			return nil, fmt.Errorf("take the lease %q: it was granted too late: the reply took longer than the TTL", name)
		case err == nil:
			return l.granted(name, owner, token, sent), nil
		case errors.Is(err, pgsession.ErrUnsent), pgsession.Refused(err):
			return nil, drivers.NotAcquired(fmt.Errorf("take the lease %q: %w", name, err))
		case !errors.Is(err, pgx.ErrNoRows):
			// The server may have the row, or may yet come to it; it expires by itself.
			return nil, fmt.Errorf("take the lease %q: %w", name, err)
		}
		t := time.NewTimer(retryMin + time.Duration(l.random.Int64N(int64(retryMax-retryMin))))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
}

// take returns pgx.ErrNoRows if somebody has the lock.
func (l *locker) take(ctx context.Context, name, owner string) (token uint64, err error) {
	var held bool
	err = l.client.Use(ctx, func(conn *pgx.Conn) error {
		var n int64
		err := conn.QueryRow(ctx, takeSQL, name, owner, l.now(), l.ttl.Microseconds()).Scan(&n)
		if held = errors.Is(err, pgx.ErrNoRows); held {
			return nil // an answer like any other: the connection is kept
		}
		token = uint64(n)
		return err
	})
	if err == nil && held {
		err = pgx.ErrNoRows
	}
	return token, err
}

// Close implements drivers.Locker. What is held stays locked until its TTL has passed.
func (l *locker) Close() error {
	l.end()
	return l.client.Close()
}
