package workload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/resource"
)

func TestCycle(t *testing.T) {
	h := start(t, &fake{}, resource.RejectLower)
	h.held(load(true), 4, 1)
	h.resume()
	h.expect(func(e Event) bool { return e.Held != nil && e.Held.ID == 7 && !e.Held.Lost })
	ops := h.history()
	compare(t, shapes(ops, 8), healthyCycle(4, 1))
	for i, o := range ops {
		if i > 0 && o.Time < ops[i-1].Time {
			t.Fatalf("time goes back at line %d", i)
		}
		if o.F == history.Write && o.Type == history.Invoke && (!o.Base.Set || !o.Token.Set) {
			t.Fatalf("write without base or token: %+v", o)
		}
	}
	for i, o := range *h.store {
		if o.F == history.Write && o.Base.V+1 != o.Version.V {
			t.Fatalf("op %d of the resource: base %d, version %d", i, o.Base.V, o.Version.V)
		}
	}
}

func TestAmbiguousAcquireTakesANewProcess(t *testing.T) {
	f := &fake{acquire: once(errors.New("connection reset"))}
	h := start(t, f, nil)
	h.held(load(true), 14, 1)
	h.resume()
	ops := h.history()
	want := append([]shape{{4, history.Invoke, history.Acquire, 1, 0}, {4, history.Info, history.Acquire, 1, 0}}, healthyCycle(14, 1)...)
	compare(t, shapes(ops, len(want)), want)
	if f.closed < 2 {
		t.Errorf("%d sessions closed, want the ambiguous one and the last", f.closed)
	}
}

func TestProvenFailureKeepsTheProcess(t *testing.T) {
	f := &fake{acquire: once(drivers.NotAcquired(context.DeadlineExceeded))}
	h := start(t, f, nil)
	h.held(load(true), 4, 2)
	h.resume()
	want := append([]shape{{4, history.Invoke, history.Acquire, 1, 0}, {4, history.Fail, history.Acquire, 1, 0}}, healthyCycle(4, 2)...)
	compare(t, shapes(h.history(), len(want)), want)
}

func TestLost(t *testing.T) {
	for _, heed := range []bool{true, false} {
		f := &fake{}
		h := start(t, f, nil)
		h.held(load(heed), 4, 1)
		f.mu.Lock()
		close(f.lost)
		f.mu.Unlock()
		if !heed {
			h.resume()
		}
		h.expect(func(e Event) bool { return e.Held != nil && e.Held.ID == 7 && e.Held.Lost })
		ops := h.history()
		want := healthyCycle(4, 1)[:4]
		lost := shape{4, history.OK, history.Lost, 1, 0}
		if heed {
			want = append(want, lost, shape{4, history.OK, history.Abandon, 1, 0})
			compare(t, shapes(ops, len(want)), want)
			continue
		}
		// The loss may be noticed before or after the write; both are then followed by the release.
		seen := map[shape]bool{}
		for _, s := range shapes(ops, 9) {
			seen[s] = true
		}
		for _, s := range append(healthyCycle(4, 1), lost) {
			if !seen[s] {
				t.Fatalf("%v is missing in %v", s, shapes(ops, 9))
			}
		}
	}
}

func TestDoubtfulReleaseAbandons(t *testing.T) {
	f := &fake{release: func() error { return errors.New("timeout") }}
	h := start(t, f, nil)
	h.held(load(true), 4, 1)
	h.resume()
	h.expect(func(e Event) bool { return e.Held != nil && e.Held.ID == 7 })
	want := healthyCycle(4, 1)
	want[7].t = history.Info
	want = append(want, shape{4, history.OK, history.Abandon, 1, 0})
	compare(t, shapes(h.history(), 9), want)
}

func TestFencedOffWorkerStops(t *testing.T) {
	f := &fake{}
	h := start(t, f, func(history.Uint, history.Uint) bool { return false })
	h.send(Command{Work: load(false)})
	f.awaitGrants(1)
	want := healthyCycle(4, 1)
	want = append(want[:3:3], append([]shape{{4, history.Fail, history.Read, 1, 1}}, want[6:]...)...)
	compare(t, shapes(h.history(), len(want)), want)
}

func TestOpenLoopCountsFromTheIntendedStart(t *testing.T) {
	f := &fake{}
	h := start(t, f, nil)
	w := load(true)
	w.Interval = time.Millisecond
	w.HoldMin, w.HoldMax = 5*time.Millisecond, 5*time.Millisecond // every cycle is late for the next
	h.send(Command{Work: w})
	f.awaitGrants(10)
	ops := h.history()
	var last, behind int64
	for _, o := range ops {
		if o.F != history.Acquire || o.Type != history.Invoke {
			continue
		}
		if d := o.Intended - last; last != 0 && d != 1_000_000 {
			t.Fatalf("intended starts are %d ns apart, want 1 ms", d)
		}
		last, behind = o.Intended, o.Time-o.Intended
	}
	if behind < 5_000_000 {
		t.Errorf("the last acquire began %d ns after its intended start; the load waited for it", behind)
	}
}

// A worker that takes two locks records both grants, and ends the outer one before the session that it shares with the
// inner one.
func TestOppositeOrder(t *testing.T) {
	for _, doubtful := range []bool{false, true} {
		f := &fake{}
		asked := 0
		f.acquire = func() error {
			if asked++; doubtful && asked == 2 {
				return errors.New("connection reset")
			}
			return nil
		}
		h := start(t, f, nil)
		w := load(true)
		w.Locks, w.OppositeOrder = []string{"lock-1", "lock-2"}, true
		h.send(Command{Work: w})
		f.awaitGrants(3)
		invoke, ok, info := history.Invoke, history.OK, history.Info
		want := []shape{{4, invoke, history.Acquire, 1, 0}, {4, ok, history.Acquire, 1, 0}, {4, invoke, history.Acquire, 2, 0}}
		if doubtful {
			want = append(want, shape{4, info, history.Acquire, 2, 0}, shape{4, ok, history.Abandon, 1, 0}, shape{14, invoke, history.Acquire, 1, 0})
		} else {
			want = append(want, healthyCycle(4, 2)[1:]...)
			want = append(want, healthyCycle(4, 1)[2:]...)
		}
		ops := h.history()
		compare(t, shapes(ops, len(want)), want)
		first, second := ops[0].Lock, ops[2].Lock
		if first == second {
			t.Errorf("it took %s twice", first)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, line := range map[string]string{
		"garbage":        "rubbish\n",
		"work first":     `{"work":{}}` + "\n",
		"other version":  `{"open":{"version":99}}` + "\n",
		"unknown driver": `{"open":{"version":2,"driver":"nope"}}` + "\n",
		"no transaction": `{"open":{"version":2,"driver":"fake","in_transaction":true}}` + "\n",
	} {
		var out bytes.Buffer
		err := Run(context.Background(), bytes.NewBufferString(line), &out, drivers.List{(&fake{}).driver()})
		var e Event
		if jsonErr := json.Unmarshal(out.Bytes(), &e); err == nil || jsonErr != nil || e.Failed == nil {
			t.Errorf("%s: error %v, event %q", name, err, out.String())
		}
	}
}

func TestWorkloadNeedsItsLocks(t *testing.T) {
	for _, locks := range [][]string{nil, {"lock-1"}} {
		h := start(t, &fake{}, nil)
		w := load(true)
		w.Locks, w.OppositeOrder = locks, len(locks) > 0
		h.send(Command{Work: w})
		h.expect(func(e Event) bool { return e.Failed != nil })
	}
}
