package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/monotime"
	"github.com/lockbench/lockbench/internal/recorder"
	"github.com/lockbench/lockbench/internal/resource"
)

// fake is a lock in memory: it tests the client, not a lock.
type fake struct {
	mu      sync.Mutex
	token   uint64
	lost    chan struct{} // of the newest lease
	acquire func() error  // nil: granted
	release func() error
	closed  int
	write   func() error   // in the lock's transaction
	ledger  drivers.Ledger // nil: the lock does not live in a transaction
}

func (f *fake) driver() drivers.Driver {
	d := drivers.Driver{
		Info: drivers.Info{Name: "fake", Token: "a counter"},
		Open: func(context.Context, []string, drivers.Options) (drivers.Locker, error) { return f, nil },
	}
	if f.ledger != nil {
		d.Ledger = func([]string) drivers.Ledger { return f.ledger }
	}
	return d
}

func (f *fake) Acquire(context.Context, string) (drivers.Lease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.acquire != nil {
		if err := f.acquire(); err != nil {
			return nil, err
		}
	}
	f.token++
	f.lost = make(chan struct{})
	return &fakeLease{f, f.token, f.lost}, nil
}

// awaitGrants returns once so many were granted.
func (f *fake) awaitGrants(n uint64) {
	for {
		f.mu.Lock()
		enough := f.token >= n
		f.mu.Unlock()
		if enough {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return nil
}

type fakeLease struct {
	*fake
	n    uint64
	gone chan struct{}
}

func (l *fakeLease) Token() (uint64, bool) { return l.n, true }
func (l *fakeLease) Lost() <-chan struct{} { return l.gone }
func (l *fakeLease) Release(context.Context) error {
	if l.release != nil {
		return l.release()
	}
	return nil
}

// harness runs one client with one worker against a real resource.
type harness struct {
	t        *testing.T
	commands *json.Encoder
	events   *json.Decoder
	dir      string
	stop     func() error
	store    *[]history.Op
}

func start(t *testing.T, f *fake, fence resource.Fence) *harness {
	t.Helper()
	clock, err := monotime.New()
	if err != nil {
		t.Fatal(err)
	}
	var store []history.Op
	res, err := resource.Listen(resource.Config{Clock: clock, Fence: fence, Record: func(op *history.Op) error { store = append(store, *op); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	in, commands, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	events, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- errors.Join(Run(context.Background(), in, out, []drivers.Driver{f.driver()}), out.Close())
	}()
	h := &harness{t: t, commands: json.NewEncoder(commands), events: json.NewDecoder(events), dir: t.TempDir(), store: &store}
	h.stop = sync.OnceValue(func() error {
		err := errors.Join(h.commands.Encode(Command{Quit: &struct{}{}}), <-done)
		commands.Close()
		in.Close()
		events.Close()
		return errors.Join(err, res.Close())
	})
	t.Cleanup(func() { h.stop() })
	h.send(Command{Open: &Open{
		Version: ProtocolVersion, Client: "c1", Driver: "fake", Resource: res.Addr(), Fencing: true,
		TTL: time.Second, Seed: 1, Workers: 1, FirstProcess: 4, Stride: 10, Dir: h.dir, Life: 1,
		InTransaction: f.ledger != nil,
	}})
	h.expect(func(e Event) bool { return e.Ready != nil })
	return h
}

func (h *harness) send(c Command) {
	h.t.Helper()
	if err := h.commands.Encode(c); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) expect(wanted func(Event) bool) Event {
	h.t.Helper()
	var e Event
	if err := h.events.Decode(&e); err != nil {
		h.t.Fatal(err)
	}
	if !wanted(e) {
		b, _ := json.Marshal(e)
		h.t.Fatalf("unexpected event %s", b)
	}
	return e
}

func load(heed bool) *Workload {
	return &Workload{Active: 1, Locks: 1, AcquireTimeout: time.Second, Timeout: time.Second, HeedLost: heed}
}

// history ends the client and returns what its worker recorded.
func (h *harness) history() []history.Op {
	h.t.Helper()
	h.send(Command{Rest: &struct{}{}})
	for e := (Event{}); e.Resting == nil; {
		if err := h.events.Decode(&e); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := h.stop(); err != nil {
		h.t.Fatal(err)
	}
	lines, torn, err := recorder.Read(filepath.Join(h.dir, "c1.1-w1.stream"))
	if err != nil || torn {
		h.t.Fatalf("torn %v, %v", torn, err)
	}
	var ops []history.Op
	r := history.NewReader(bytes.NewReader(lines))
	for {
		op, err := r.Next()
		if err == io.EOF {
			return ops
		}
		if err != nil {
			h.t.Fatal(err)
		}
		ops = append(ops, op)
	}
}

// shape is one op without its times.
type shape struct {
	process int64
	t       history.Type
	f       string
	grant   int64
	request int64
}

func shapes(ops []history.Op, n int) []shape {
	var out []shape
	for _, o := range ops[:min(n, len(ops))] {
		out = append(out, shape{o.Process, o.Type, o.F, o.Grant, o.Request})
	}
	return out
}

func compare(t *testing.T, got, want []shape) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("line %d differs:\ngot  %v\nwant %v", i, got, want)
		}
	}
}

func healthyCycle(p, g int64) []shape {
	return []shape{
		{p, history.Invoke, history.Acquire, g, 0}, {p, history.OK, history.Acquire, g, 0},
		{p, history.Invoke, history.Read, g, 1}, {p, history.OK, history.Read, g, 1},
		{p, history.Invoke, history.Write, g, 2}, {p, history.OK, history.Write, g, 2},
		{p, history.Invoke, history.Release, g, 0}, {p, history.OK, history.Release, g, 0},
	}
}

func TestCycle(t *testing.T) {
	h := start(t, &fake{}, resource.RejectLower)
	h.send(Command{Hold: &Hold{ID: 7}})
	h.send(Command{Work: load(true)})
	h.expect(func(e Event) bool {
		return e.Holding != nil && e.Holding.ID == 7 && e.Holding.Process == 4 && e.Holding.Grant == 1
	})
	h.send(Command{Resume: &struct{}{}})
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
	f := &fake{}
	first := true
	f.acquire = func() error {
		if first {
			first = false
			return errors.New("connection reset")
		}
		return nil
	}
	h := start(t, f, nil)
	h.send(Command{Hold: &Hold{ID: 7}})
	h.send(Command{Work: load(true)})
	h.expect(func(e Event) bool {
		return e.Holding != nil && e.Holding.ID == 7 && e.Holding.Process == 14 && e.Holding.Grant == 1
	})
	h.send(Command{Resume: &struct{}{}})
	ops := h.history()
	want := append([]shape{{4, history.Invoke, history.Acquire, 1, 0}, {4, history.Info, history.Acquire, 1, 0}}, healthyCycle(14, 1)...)
	compare(t, shapes(ops, len(want)), want)
	if f.closed < 2 {
		t.Errorf("%d sessions closed, want the ambiguous one and the last", f.closed)
	}
}

func TestProvenFailureKeepsTheProcess(t *testing.T) {
	f := &fake{}
	first := true
	f.acquire = func() error {
		if first {
			first = false
			return drivers.NotAcquired(context.DeadlineExceeded)
		}
		return nil
	}
	h := start(t, f, nil)
	h.send(Command{Hold: &Hold{ID: 7}})
	h.send(Command{Work: load(true)})
	h.expect(func(e Event) bool {
		return e.Holding != nil && e.Holding.ID == 7 && e.Holding.Process == 4 && e.Holding.Grant == 2
	})
	h.send(Command{Resume: &struct{}{}})
	want := append([]shape{{4, history.Invoke, history.Acquire, 1, 0}, {4, history.Fail, history.Acquire, 1, 0}}, healthyCycle(4, 2)...)
	compare(t, shapes(h.history(), len(want)), want)
}

func TestLost(t *testing.T) {
	for _, heed := range []bool{true, false} {
		f := &fake{}
		h := start(t, f, nil)
		h.send(Command{Hold: &Hold{ID: 7}})
		h.send(Command{Work: load(heed)})
		h.expect(func(e Event) bool { return e.Holding != nil && e.Holding.ID == 7 })
		f.mu.Lock()
		close(f.lost)
		f.mu.Unlock()
		if !heed {
			h.send(Command{Resume: &struct{}{}})
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
	h.send(Command{Hold: &Hold{ID: 7}})
	h.send(Command{Work: load(true)})
	h.expect(func(e Event) bool { return e.Holding != nil && e.Holding.ID == 7 })
	h.send(Command{Resume: &struct{}{}})
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
		w.Locks, w.OppositeOrder = 2, true
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
		"unknown driver": `{"open":{"version":1,"driver":"nope"}}` + "\n",
		"no transaction": `{"open":{"version":1,"driver":"fake","in_transaction":true}}` + "\n",
	} {
		var out bytes.Buffer
		err := Run(context.Background(), bytes.NewBufferString(line), &out, []drivers.Driver{(&fake{}).driver()})
		var e Event
		if jsonErr := json.Unmarshal(out.Bytes(), &e); err == nil || jsonErr != nil || e.Failed == nil {
			t.Errorf("%s: error %v, event %q", name, err, out.String())
		}
	}
}
