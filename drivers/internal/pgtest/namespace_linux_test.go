package pgtest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/drivers/internal/pgsession"
	"github.com/lockbench/lockbench/drivers/postgresadvisory"
	"github.com/lockbench/lockbench/drivers/postgreslease"
	"github.com/lockbench/lockbench/drivers/postgresrow"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// terminate ends the holders of the namespace and fails the test if there were not n.
func terminate(t *testing.T, namespace string, n int) {
	t.Helper()
	ended, err := pgsession.TerminateHolders(t.Context(), []string{server.Addr}, server.Options(namespace))
	if err != nil || ended != n {
		t.Fatalf("%d sessions ended (%v), want %d", ended, err, n)
	}
}

// The holder's session ends. Those that wait go on, and so do sessions that do nothing, that hold the same lock in
// another namespace, or that belong to another program and hold an advisory lock or are in a transaction.
func TestTerminateHolders(t *testing.T) {
	server.Need(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*locktest.Patience)
	defer cancel()
	stranger := server.Connect(ctx, t)
	defer stranger.Close(context.Background())
	const begin = "set application_name = 'somebody'; select pg_advisory_lock(1); begin; select txid_current()"
	if _, err := stranger.Exec(ctx, begin); err != nil {
		t.Fatal(err)
	}
	for _, d := range slices.Concat(postgresadvisory.Drivers(), postgresrow.Drivers()) {
		ours := Bench{Server: server, Driver: d, TTL: locktest.Patience, Namespace: "ours"}
		theirs := Bench{Server: server, Driver: d, TTL: locktest.Patience, Namespace: "theirs"}
		open := func(b Bench) drivers.Locker { return b.Open(t) }
		terminate(t, "ours", 0)
		bystander := locktest.Acquire(t, open(theirs), "a")
		holder, waiters := open(ours), []drivers.Locker{open(ours), open(ours)}
		open(ours) // does nothing
		lease := locktest.Acquire(t, holder, "a")
		type result struct {
			lease drivers.Lease
			err   error
		}
		granted := make(chan result, len(waiters))
		for i, w := range waiters {
			go func() {
				lease, err := w.Acquire(ctx, "a")
				granted <- result{lease, err}
			}()
			server.Await(t, int64(i+1), Waiting)
		}
		terminate(t, "ours", 1)
		if err := locktest.TryRelease(lease); !errors.Is(err, drivers.ErrNotHeld) {
			t.Errorf("%s: release by the former holder: %v", d.Info.Name, err)
		}
		for range waiters { // one after the other
			got := <-granted
			if got.err != nil {
				t.Fatalf("%s: a session that waited: %v", d.Info.Name, got.err)
			}
			locktest.Release(t, got.lease)
		}
		terminate(t, "ours", 0)
		locktest.NotLost(t, bystander)
		locktest.Release(t, bystander)
	}
	var held bool
	if _, err := stranger.Exec(ctx, "commit"); err != nil {
		t.Errorf("the transaction of another program: %v", err)
	}
	if err := stranger.QueryRow(ctx, "select pg_advisory_unlock(1)").Scan(&held); err != nil || !held {
		t.Errorf("the advisory lock of another program: held %v, %v", held, err)
	}
}

// Two namespaces have tables, tokens and ledgers of their own: what one resets or settles, the other does not notice.
func TestNamespacesDoNotMeet(t *testing.T) {
	server.Need(t)
	for _, d := range slices.Concat(postgresadvisory.Drivers(), postgresrow.Drivers(), postgreslease.Drivers()) {
		ours := Bench{Server: server, Driver: d, TTL: locktest.Patience, Namespace: "ours"}
		theirs := Bench{Server: server, Driver: d, TTL: locktest.Patience, Namespace: "theirs"}
		a, b := locktest.Acquire(t, ours.Open(t), "meet"), locktest.Acquire(t, theirs.Open(t), "meet")
		token, _ := a.Token()
		if other, _ := b.Token(); other != token { // the first of each
			t.Errorf("%s: tokens %d and %d, want two counters", d.Info.Name, token, other)
		}
		locktest.Release(t, a)
		locktest.Release(t, b)
	}
	bench := func(namespace string) Bench {
		return Bench{Server: server, Driver: postgresadvisory.Drivers()[1], TTL: locktest.Patience, Namespace: namespace}
	}
	ctx, cancel := context.WithTimeout(t.Context(), locktest.Patience)
	defer cancel()
	ledgers := map[string]drivers.Ledger{}
	for _, namespace := range []string{"ours", "theirs"} {
		ledgers[namespace] = pgsession.Ledger([]string{server.Addr}, server.Options(namespace))
		must.Succeed(t, ledgers[namespace].Reset(ctx))
		lease := locktest.Acquire(t, bench(namespace).Open(t), "a")
		write(t, in(t, lease, "a", 0, 0), entry("a", 1, 0))
		locktest.Release(t, lease)
	}
	bystander := locktest.Acquire(t, bench("theirs").Open(t), "b")
	settle(t, ledgers["ours"], entry("a", 1, 0))
	must.Succeed(t, ledgers["ours"].Reset(ctx))
	settle(t, ledgers["ours"])
	locktest.NotLost(t, bystander)
	locktest.Release(t, bystander)
	settle(t, ledgers["theirs"], entry("a", 1, 0))
}

func TestSchemaFitsTheServer(t *testing.T) {
	long := "20261123T060000Z-a-scenario-whose-name-takes-more-room-than-the-server-gives-it"
	if got := pgsession.Schema(long); len(got) > 63 || got == pgsession.Schema(long+"-2") {
		t.Errorf("schema %q", got)
	}
}
