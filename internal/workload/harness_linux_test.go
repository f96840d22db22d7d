package workload

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

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/monotime"
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
		d.Ledger = func([]string, drivers.Options) drivers.Ledger { return f.ledger }
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
	res, err := resource.Listen(resource.Config{Addr: "127.0.0.1:0", Secret: "secret", Clock: clock, Fence: fence, Record: func(op *history.Op) error { store = append(store, *op); return nil }})
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
		done <- errors.Join(Run(context.Background(), in, out, drivers.List{f.driver()}), out.Close())
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
		Version: ProtocolVersion, Client: "c1", Driver: "fake", Resource: res.Addr(), Secret: "secret", Fenced: true,
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
	return &Workload{Active: 1, Locks: []string{"lock-1"}, AcquireTimeout: time.Second, Timeout: time.Second, Heeding: heed}
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

// held starts the workload with a hold of one grant, and returns once the grant of that process and number is held.
func (h *harness) held(w *Workload, process, grant int64) {
	h.t.Helper()
	h.send(Command{Hold: &Hold{ID: 7}})
	h.send(Command{Work: w})
	h.expect(func(e Event) bool {
		return e.Holding != nil && e.Holding.ID == 7 && e.Holding.Process == process && e.Holding.Grant == grant
	})
}

// resume ends the hold.
func (h *harness) resume() {
	h.t.Helper()
	h.send(Command{Resume: &struct{}{}})
}

// once returns err, and nil ever after.
func once(err error) func() error {
	return func() error {
		defer func() { err = nil }()
		return err
	}
}
