package run

import (
	"os"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults/clocks"
	"github.com/lockbench/lockbench/internal/procfs"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
	"github.com/lockbench/lockbench/scenarios"
)

func needClocks(t *testing.T) {
	t.Helper()
	host, err := local.New()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	}()
	testenv.NeedCapability(t, host.Clocks())
}

// A client whose clock was moved has the same clock when it is started again, and its server's clock was never moved.
func TestClientKeepsItsClock(t *testing.T) {
	needClocks(t)
	const offset = 7 * time.Hour // nobody else's
	s := shipped(t, "client-clock", "holder-behind", "healed")
	short := scenarios.Span{Fixed: 200 * time.Millisecond}
	s.Phases[0].Faults = []scenarios.Fault{
		{Name: "clock-jump", Target: "c1", Settings: map[string]string{"offset": offset.String()}},
		{Name: "crash", Target: "c1", When: scenarios.Moment{Event: scenarios.Recovered}, For: &short},
		{Name: "pause", Target: "c1", When: scenarios.Moment{Event: scenarios.Recovered}, For: &short},
	}
	done := make(chan struct{})
	seen := make(chan map[int]bool)
	go func() {
		moved := map[int]bool{}
		for {
			select {
			case <-done:
				seen <- moved
				return
			case <-time.After(5 * time.Millisecond): // no event tells of a process that is born
			}
			family, _ := procfs.Family(os.Getpid())
			for _, p := range family {
				if got, _, err := clocks.Offset(p.PID); err == nil && got == offset {
					moved[p.PID] = true
				}
			}
		}
	}()
	_, judged := verdicts(t, Config{Scenario: s, Drivers: []drivers.Driver{find("redis-setnx")}})
	close(done)
	if moved := <-seen; len(moved) != 2 {
		t.Errorf("processes whose clocks were seen %v off: %v, want the client's two lives", offset, moved)
	}
	if r := judged["redis-setnx.unfenced.heeding"]; r.Exclusion.Verdict != checker.Valid {
		t.Errorf("exclusion %+v", r.Exclusion)
	}
}

// A jump of the only server's clock past the TTL takes the lock from a holder that renews it. A busy machine can keep
// every other client from the lock until the first holder is done, so three seeds may try.
func TestClockTakesALock(t *testing.T) {
	needClocks(t)
	s := shipped(t, "clock-jump", "all-forward", "healed")
	s.Workload.Lost = scenarios.Ignoring
	for seed := uint64(1); ; seed++ {
		_, judged := verdicts(t, Config{Scenario: s, Seed: seed, Drivers: []drivers.Driver{find("redis-setnx+renew"), find("etcd")}})
		// On a busy machine etcd may not come to the grants that it takes to call it valid.
		if r := judged["etcd.unfenced.ignoring"]; r.Exclusion.Verdict == checker.Invalid || r.Counts.Overlap > 0 {
			t.Errorf("etcd: exclusion %+v, %+v", r.Exclusion, r.Counts)
		}
		c := judged["redis-setnx+renew.unfenced.ignoring"].Counts
		if c.Overlap > 0 {
			return
		}
		if seed == 3 {
			t.Fatalf("Redis: no overlap: %+v", c)
		}
	}
}
