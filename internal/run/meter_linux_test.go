package run

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// worker records acquires in a stream of its own.
type worker struct {
	*recorder.Recorder
	t     *testing.T
	grant int64
}

func newWorker(t *testing.T, dir, name string) *worker {
	t.Helper()
	r, err := recorder.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return &worker{Recorder: r, t: t}
}

func (w *worker) record(op history.Op) {
	w.t.Helper()
	op.Client, op.Lock, op.Grant = "c1", "lock-1", w.grant
	if err := w.Append(&op); err != nil {
		w.t.Fatal(err)
	}
}

// asked is when every acquire is invoked.
const asked = int64(time.Hour)

// acquire takes as long; 0: it ends without a grant.
func (w *worker) acquire(took time.Duration, intended int64) {
	w.t.Helper()
	w.grant++
	w.record(history.Op{Time: asked, Type: history.Invoke, F: history.Acquire, Intended: intended})
	if took == 0 {
		w.record(history.Op{Time: asked, Type: history.Fail, F: history.Acquire, Error: `"f":"acquire"`})
		return
	}
	w.record(history.Op{Time: asked + int64(took), Type: history.OK, F: history.Acquire})
	w.record(history.Op{Time: asked + int64(took), Type: history.Invoke, F: history.Release})
	w.record(history.Op{Time: asked + int64(took), Type: history.OK, F: history.Release, Error: `"f":"acquire"`})
}

func TestMeterCountsAPhase(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(recorder.NewFeed(dir))
	if phase, c, err := m.read(0); phase != "" || c != nil || err != nil {
		t.Fatalf("before a phase: %q, %+v, %v", phase, c, err)
	}
	one := newWorker(t, dir, "c1.1.stream")
	one.acquire(time.Hour/2, 0) // of the phase before
	must.Succeed(t, m.begin("next"))
	two := newWorker(t, dir, "c2.1.stream")
	newWorker(t, dir, "nemesis.stream").acquire(time.Millisecond, 0) // no client's
	for range 98 {
		one.acquire(time.Millisecond, 0)
	}
	two.acquire(0, 0)
	two.acquire(2*time.Second, asked-int64(time.Second)) // due a second before it was invoked
	phase, c, err := m.read(0)
	if err != nil || phase != "next" || c.Attempts != 100 || c.Grants != 99 || c.Max != 3*time.Second || c.P99 != 0 || c.Rate <= 0 {
		t.Fatalf("%q, %+v, %v", phase, c, err)
	}
	one.acquire(time.Millisecond, 0)
	_, c, err = m.read(0)
	if err != nil || c.Attempts != 101 || c.Grants != 100 || c.P99 < time.Millisecond || c.P99 > 1001*time.Microsecond {
		t.Fatalf("%+v, %v", c, err)
	}
	m.end()
	if _, c, err := m.read(0); c != nil || err != nil {
		t.Fatalf("after the phase: %+v, %v", c, err)
	}
}

// TestMeterCountsGrantsOfItsOwnAcquires: what was invoked in the phase before is granted in this one.
func TestMeterCountsGrantsOfItsOwnAcquires(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(recorder.NewFeed(dir))
	w := newWorker(t, dir, "c1.1.stream")
	w.grant++
	w.record(history.Op{Time: asked, Type: history.Invoke, F: history.Acquire})
	must.Succeed(t, m.begin("next"))
	w.record(history.Op{Time: asked + int64(time.Hour/2), Type: history.OK, F: history.Acquire})
	w.acquire(time.Millisecond, 0)
	w.acquire(time.Millisecond, 0)
	if _, c, err := m.read(0); err != nil || c.Attempts != 2 || c.Grants != 2 || c.Max != time.Millisecond {
		t.Fatalf("%+v, %v", c, err)
	}
}

// TestMeterTellsNoRateOfAnInstant: a read that comes too early says nothing, and takes nothing from the next one.
func TestMeterTellsNoRateOfAnInstant(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(recorder.NewFeed(dir))
	must.Succeed(t, m.begin("next"))
	newWorker(t, dir, "c1.1.stream").acquire(time.Millisecond, 0)
	if phase, c, err := m.read(time.Hour); phase != "" || c != nil || err != nil {
		t.Fatalf("at once: %q, %+v, %v", phase, c, err)
	}
	if _, c, err := m.read(0); err != nil || c.Grants != 1 || c.Rate <= 0 {
		t.Fatalf("%+v, %v", c, err)
	}
}

// TestMeterGivesUp: what cannot be read is an error once.
func TestMeterGivesUp(t *testing.T) {
	dir := t.TempDir()
	m := newMeter(recorder.NewFeed(dir))
	must.Succeed(t, m.begin("next"))
	must.Succeed(t, os.Mkdir(filepath.Join(dir, "c1.1.stream"), 0o755))
	if _, c, err := m.read(0); c != nil || err == nil {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, c, err := m.read(0); c != nil || err != nil {
		t.Fatalf("again: %+v, %v", c, err)
	}
}
