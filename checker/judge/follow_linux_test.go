package judge

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
)

// writer records a worker's ops.
type writer struct {
	t *testing.T
	r *recorder.Recorder
	history.Op
}

func newWriter(t *testing.T, dir string, process int64) *writer {
	t.Helper()
	client := "c" + string(rune('0'+process))
	r, err := recorder.Create(filepath.Join(dir, client+".stream"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return &writer{t, r, history.Op{Client: client, Process: process, Lock: "x", Grant: 1}}
}

// at records an op at that many milliseconds.
func (w *writer) at(ms int64, f string, typ history.Type) {
	w.t.Helper()
	op := w.Op
	op.Time, op.F, op.Type = ms*1e6, f, typ
	if err := w.r.Append(&op); err != nil {
		w.t.Fatal(err)
	}
}

func look(t *testing.T, f *Follower) checker.SoFar {
	t.Helper()
	known, err := f.Look()
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// A second holder is told while both hold. A line that a client stamped before it was stopped, and recorded after,
// takes that back: it had given the lock up before.
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	f := Follow(recorder.NewFeed(dir), checker.Options{})
	if known := look(t, f); len(known.Violations) > 0 {
		t.Errorf("before anything: %+v", known)
	}
	one, two := newWriter(t, dir, 1), newWriter(t, dir, 2)
	one.at(1000, history.Acquire, history.Invoke)
	one.at(1010, history.Acquire, history.OK)
	two.at(1500, history.Acquire, history.Invoke)
	two.at(1600, history.Acquire, history.OK)
	look(t, f)
	two.at(9000, history.Lost, history.OK)
	if known := look(t, f); known.Undecided != 1 || known.Violations[0].By.Client != "c2" || !known.Violations[0].Provisional {
		t.Errorf("while both hold: %+v", known)
	}
	one.at(1400, history.Release, history.Invoke)
	if known := look(t, f); len(known.Violations) > 0 || known.Counts.Grants != 2 {
		t.Errorf("after the late line: %+v", known)
	}
}

func TestFollowWhatIsNoHistory(t *testing.T) {
	dir := t.TempDir()
	one := newWriter(t, dir, 1)
	one.at(1000, history.Acquire, history.OK) // of an acquire that was never asked
	one.at(9000, history.Lost, history.OK)
	if _, err := Follow(recorder.NewFeed(dir), checker.Options{}).Look(); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("no invoke: %v", err)
	}
}
