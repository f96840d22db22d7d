package pgtest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

// committed is a query for Await: what anybody but the writer sees of the ledger.
const committed = "select from lockbench_ledger"

// inTransaction asks what a lock must do that promises a ledger.
func (b Bench) inTransaction(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, drivers.Ledger)
	}{
		{"effect", b.effect},
		{"vanishes", b.vanishes},
		{"in doubt", b.inDoubt},
		{"shared", b.shared},
		{"refused", b.refused},
		{"no fence", b.noFence},
	} {
		t.Run(test.name, func(t *testing.T) {
			ledger := b.Driver.Ledger([]string{b.Server.Addr}, b.Server.Options(""))
			ctx, cancel := context.WithTimeout(context.Background(), locktest.Patience)
			defer cancel()
			if err := ledger.Reset(ctx); err != nil {
				t.Fatal(err)
			}
			test.run(t, ledger)
		})
	}
}

// in reads the item of a lock in the lease's transaction and fails the test if it is not at that version.
func in(t *testing.T, lease drivers.Lease, lock string, version uint64, value int64) drivers.Transaction {
	t.Helper()
	tx := lease.(drivers.Transaction)
	ctx, cancel := context.WithTimeout(context.Background(), locktest.Patience)
	defer cancel()
	gotVersion, gotValue, err := tx.Read(ctx, lock)
	if err != nil || gotVersion != version || gotValue != value {
		t.Fatalf("version %d, value %d (%v), want %d and %d", gotVersion, gotValue, err, version, value)
	}
	return tx
}

// entry is a write of lock by that grant.
func entry(lock string, grant int64, base uint64) drivers.Write {
	return drivers.Write{Lock: lock, Client: "c1", Process: 7, Grant: grant, Request: 2, Base: base, Value: 40 + grant}
}

func write(t *testing.T, tx drivers.Transaction, w drivers.Write) uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), locktest.Patience)
	defer cancel()
	version, err := tx.Write(ctx, w)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// settle fails the test if the ledger holds anything but these writes, whose Version is set here by their order.
func settle(t *testing.T, ledger drivers.Ledger, want ...drivers.Write) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), locktest.Patience)
	defer cancel()
	got, err := ledger.Settle(ctx)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]uint64{}
	for i := range want {
		versions[want[i].Lock]++
		want[i].Version, want[i].Value = versions[want[i].Lock], 0
	}
	if !slices.Equal(got, want) {
		t.Errorf("ledger %+v, want %+v", got, want)
	}
}

// effect: a write takes effect with the release, and not before.
func (b Bench) effect(t *testing.T, ledger drivers.Ledger) {
	one, two := b.Open(t), b.Open(t)
	lease := locktest.Acquire(t, one, "a")
	if v := write(t, in(t, lease, "a", 0, 0), entry("a", 1, 0)); v != 1 {
		t.Errorf("version %d after the first write", v)
	}
	b.Server.Await(t, 0, committed)
	locktest.Release(t, lease)
	b.Server.Await(t, 1, committed)
	if _, _, err := lease.(drivers.Transaction).Read(context.Background(), "a"); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("read after the release: %v, want %v", err, drivers.ErrNotHeld)
	}
	next := locktest.Acquire(t, two, "a")
	write(t, in(t, next, "a", 1, 41), entry("a", 2, 1))
	locktest.Release(t, next)
	settle(t, ledger, entry("a", 1, 0), entry("a", 2, 1))
}

// vanishes: of a session that the server ended nothing is left.
func (b Bench) vanishes(t *testing.T, ledger drivers.Ledger) {
	lease := locktest.Acquire(t, b.Open(t), "a")
	write(t, in(t, lease, "a", 0, 0), entry("a", 1, 0))
	b.Server.Terminate(t)
	locktest.AwaitLost(t, lease)
	if _, err := lease.(drivers.Transaction).Write(context.Background(), entry("a", 1, 0)); err == nil {
		t.Error("a write in a session that the server had ended")
	}
	if err := locktest.TryRelease(lease); err == nil {
		t.Error("a release in a session that the server had ended")
	}
	next := locktest.Acquire(t, b.Open(t), "a")
	write(t, in(t, next, "a", 0, 0), entry("a", 2, 0))
	locktest.Release(t, next)
	settle(t, ledger, entry("a", 2, 0))
}

// inDoubt: whether a commit was served whose answer did not come, the ledger knows.
func (b Bench) inDoubt(t *testing.T, ledger drivers.Ledger) {
	leave := func(lock string, grant int64, requests bool) (heal func()) {
		locker, link := b.linked(t)
		lease := locktest.Acquire(t, locker, lock)
		write(t, in(t, lease, lock, 0, 0), entry(lock, grant, 0))
		heal = link.Cut(requests, true)
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		locktest.InDoubt(t, "release over a cut link", lease.Release(ctx))
		if err := locker.Close(); err != nil {
			t.Error(err)
		}
		return heal
	}
	heal := leave("served", 1, false)
	b.Server.Await(t, 1, committed)
	heal()
	heal = leave("lost", 2, true)
	settle(t, ledger, entry("served", 1, 0))
	heal() // a commit that is late finds nobody
	b.Server.Await(t, 0, Sessions)
	settle(t, ledger, entry("served", 1, 0))
}

// shared: the leases of one Locker share a transaction, which ends with the last of them.
func (b Bench) shared(t *testing.T, ledger drivers.Ledger) {
	one := b.Open(t)
	a, other := locktest.Acquire(t, one, "a"), locktest.Acquire(t, one, "b")
	write(t, in(t, a, "a", 0, 0), entry("a", 1, 0))
	locktest.Release(t, a)
	b.Server.Await(t, 0, committed)
	write(t, in(t, other, "b", 0, 0), entry("b", 2, 0))
	in(t, other, "a", 1, 41)
	locktest.Release(t, other)
	settle(t, ledger, entry("a", 1, 0), entry("b", 2, 0))
}

// refused: a statement that the server refuses ends the transaction, with what it wrote and every lock in it.
func (b Bench) refused(t *testing.T, ledger drivers.Ledger) {
	one, two := b.Open(t), b.Open(t)
	lease := locktest.Acquire(t, one, "a")
	tx := in(t, lease, "a", 0, 0)
	write(t, tx, entry("a", 1, 0))
	twice := entry("a", 1, 0)
	twice.Client = "not\x00text"
	if _, err := tx.Write(context.Background(), twice); err == nil {
		t.Fatal("the server took a text that is none")
	}
	locktest.AwaitLost(t, lease)
	locktest.NotHeld(t, "of what died with the transaction", lease)
	locktest.Release(t, locktest.Acquire(t, two, "a"))
	again := locktest.Acquire(t, one, "a") // its session is in order
	write(t, in(t, again, "a", 0, 0), entry("a", 3, 0))
	locktest.Release(t, again)
	settle(t, ledger, entry("a", 3, 0))
}

// noFence: the rows do not save a lock that lets two holders in. Here they hold different locks and write one item.
func (b Bench) noFence(t *testing.T, ledger drivers.Ledger) {
	one, two := b.Open(t), b.Open(t)
	first, second := locktest.Acquire(t, one, "a"), locktest.Acquire(t, two, "b")
	txs := []drivers.Transaction{in(t, first, "a", 0, 0), in(t, second, "a", 0, 0)}
	write(t, txs[0], entry("a", 1, 0))
	done := make(chan error, 1)
	go func() {
		_, err := txs[1].Write(context.Background(), entry("a", 2, 0))
		done <- err
	}()
	b.Server.Await(t, 1, Waiting)
	locktest.Release(t, first)
	if err := <-done; err != nil {
		t.Fatalf("the second write: %v", err)
	}
	locktest.Release(t, second)
	settle(t, ledger, entry("a", 1, 0), entry("a", 2, 0)) // both from version 0: a lost update
}
