package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/judge"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// inTransaction is the scenario with the data in the lock's own transaction. A busy machine takes its time to open the
// sessions, which an acquire has to wait for.
func inTransaction(s scenarios.Scenario) scenarios.Scenario {
	s.Workload.Resource, s.Workload.Fencing = scenarios.InTransaction, scenarios.Unfenced
	s.Workload.AcquireTimeout = scenarios.Duration(2 * time.Second)
	return s
}

// TestTransactionSavesTheData has the holder cut off, and the sessions of holders ended: a write in the lock's own
// transaction is applied while the lock holds, or never.
func TestTransactionSavesTheData(t *testing.T) {
	t.Parallel()
	s := patient(inTransaction(only(quick(t, time.Second), "holder-cut", "healed")))
	s.Workload.Lost = scenarios.Ignoring
	terminated := s.Phases[0]
	held := scenarios.Moment{Event: scenarios.Held, After: scenarios.Span{Fixed: 10 * time.Millisecond}}
	terminated.Name, terminated.Faults = "terminated", []scenarios.Fault{{Name: "terminate", Target: "all", When: held}}
	s.Phases = []scenarios.Phase{s.Phases[0], terminated, s.Phases[1]}
	run, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("postgres-row"), find("postgres-advisory+xact")}})
	for _, test := range run.Tests {
		r, ok := judged[test.Name]
		c := r.Counts
		if !ok || c.StaleWrite != 0 || c.LostUpdate != 0 || c.TokenRegression != 0 || c.Writes == 0 || r.Data.Verdict != checker.Valid {
			t.Errorf("%s: judged %v, %+v, data %+v", test.Name, ok, c, r.Data)
		}
		if c.Overlap == 0 {
			t.Errorf("%s: nobody else was granted the lock when its holder's session had ended, so the run shows nothing", test.Name)
		}
		for _, p := range test.Phases {
			if p.Status != results.Complete || p.Reason != "" {
				t.Errorf("%s, phase %s: %s: %s", test.Name, p.Name, p.Status, p.Reason)
			}
		}
		told(t, run, test.Name)
	}
	if len(run.Tests) != 2 {
		t.Errorf("%d tests, want one of each lock", len(run.Tests))
	}
}

// told checks that the resource's lines fit the workers': not only for the order, also by the clock.
func told(t *testing.T, run judgedRun, name string) {
	t.Helper()
	f, err := os.Open(results.Dir(run.dir).History(name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ops, err := history.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	h, err := history.Parse(ops)
	if err != nil {
		t.Fatal(err)
	}
	committed := 0
	for _, r := range h.Sequenced {
		if r.Served.Time < r.Invoke.Time || r.Outcome == history.OK && r.Served.Time > r.Answer.Time {
			t.Fatalf("%s: the %s on line %d was served at %d, outside its call from %d to %d", name, r.F, r.Served.Line, r.Served.Time, r.Invoke.Time, r.Answer.Time)
		}
		if r.F == history.Write && r.Outcome == history.OK {
			committed++
		}
	}
	if committed == 0 {
		t.Errorf("%s: no worker was told that it wrote", name)
	}
}

// writesLate is postgres-row sabotaged: it writes in a transaction of its own, which it commits after the lock was
// given back.
func writesLate() drivers.Driver {
	d := find("postgres-row")
	d.Info.Name = "writes-late"
	open := d.Open
	var n atomic.Uint64
	d.Open = func(ctx context.Context, addrs []string, opt drivers.Options) (drivers.Locker, error) {
		lock, err := open(ctx, addrs, opt)
		if err != nil {
			return nil, err
		}
		late, err := open(ctx, addrs, opt)
		if err != nil {
			return nil, errors.Join(err, lock.Close())
		}
		return lateLocker{lock, late, &n}, nil
	}
	return d
}

type lateLocker struct {
	drivers.Locker
	late drivers.Locker
	n    *atomic.Uint64
}

func (l lateLocker) Close() error { return errors.Join(l.Locker.Close(), l.late.Close()) }

func (l lateLocker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	lease, err := l.Locker.Acquire(ctx, name)
	if err != nil {
		return nil, err
	}
	other, err := l.late.Acquire(ctx, fmt.Sprintf("late-%d-%d", os.Getpid(), l.n.Add(1)))
	if err != nil {
		return nil, errors.Join(errors.New("take the other lock"), err)
	}
	return lateLease{lease, lease.(drivers.Transaction), other}, nil
}

type lateLease struct {
	drivers.Lease
	drivers.Transaction
	late drivers.Lease
}

func (l lateLease) Write(ctx context.Context, w drivers.Write) (uint64, error) {
	return l.late.(drivers.Transaction).Write(ctx, w)
}

func (l lateLease) Release(ctx context.Context) error {
	err := l.Lease.Release(ctx)
	_ = sleep(ctx, 20*time.Millisecond) // somebody else is granted it
	return errors.Join(err, l.late.Release(ctx))
}

func TestWriteOutsideTheTransactionIsConvicted(t *testing.T) {
	t.Parallel()
	s := inTransaction(only(quick(t, time.Second), "healed"))
	s.Phases[0].For, s.Workload.Lost = scenarios.Span{Fixed: time.Second}, scenarios.Heeding
	s.Workload.AcquireTimeout = scenarios.Duration(5 * time.Second) // it opens twice as many
	_, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{writesLate()}})
	r := judged["writes-late.unfenced.heeding"]
	if r.Counts.LostUpdate == 0 || r.Counts.StaleWrite == 0 || r.Data.Verdict != checker.Invalid {
		t.Errorf("a driver that writes when it has given the lock back was not convicted: %+v, data %+v", r.Counts, r.Data)
	}
	if r.Counts.Overlap != 0 {
		t.Errorf("its lock is in order: %+v", r.Counts)
	}
}

// silentLedger is that of a server that does not come back.
type silentLedger struct{ drivers.Ledger }

func (silentLedger) Settle(context.Context) ([]drivers.Write, error) {
	return nil, errors.New("no answer")
}

// TestNoLedgerNoVerdict: a test whose ledger cannot be read is an error and judged by nobody, and its streams are kept.
func TestNoLedgerNoVerdict(t *testing.T) {
	t.Parallel()
	s := inTransaction(only(quick(t, time.Second), "healed"))
	s.Workload.Lost = scenarios.Heeding
	d := find("postgres-advisory+xact")
	known := d.Ledger
	d.Ledger = func(addrs []string, opt drivers.Options) drivers.Ledger { return silentLedger{known(addrs, opt)} }
	_, err := servers.Postgres{}.Detect(t.Context(), local.Programs{})
	testenv.NeedServer(t, err)
	dir, err := Run(t.Context(), Config{
		Scenario: s, Drivers: []drivers.Driver{d}, Backends: servers.Backends(), Out: t.TempDir(), Seed: 1,
		Progress: show(t),
	})
	if err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("the run: %v, want what the ledger said", err)
	}
	if err := judge.Run(dir); err != nil {
		t.Errorf("judge: %v", err)
	}
	saved, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(saved.Verdicts.Tests) > 0 || saved.Run.Tests[0].Status != results.Failed {
		t.Errorf("judged: %+v; status %s", saved.Verdicts.Tests, saved.Run.Tests[0].Status)
	}
	if streams, err := filepath.Glob(filepath.Join(saved.Dir.Streams(saved.Run.Tests[0].Name), "c*.stream")); err != nil || len(streams) == 0 {
		t.Errorf("streams kept: %v (%v)", streams, err)
	}
}

func TestResourceInTransactionApplies(t *testing.T) {
	s := quick(t, time.Second)
	s.Workload.Resource = scenarios.InTransaction
	for _, tt := range []struct {
		driver string
		runs   int // of the settings of heeding, unfenced
	}{{"postgres-row", 2}, {"postgres-advisory+xact", 2}, {"postgres-advisory", 0}, {"etcd", 0}} {
		runs := 0
		for _, test := range plan.Tests(s, find(tt.driver)) {
			switch {
			case test.Status == results.NotRun && !test.Fenced:
				runs++
			case test.Status != results.NotApplicable || test.Reason == "":
				t.Errorf("%s: %s %q", test.Name, test.Status, test.Reason)
			}
		}
		if runs != tt.runs {
			t.Errorf("%s: %d tests run, want %d", tt.driver, runs, tt.runs)
		}
	}
}
