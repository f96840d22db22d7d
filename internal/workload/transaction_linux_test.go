package workload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/drivers"
)

// noLedger is the ledger of the fake, which keeps none.
type noLedger struct{}

func (noLedger) Reset(context.Context) error                     { return nil }
func (noLedger) Settle(context.Context) ([]drivers.Write, error) { return nil, nil }

func (l *fakeLease) Read(context.Context, string) (uint64, int64, error) { return 6, 60, nil }

func (l *fakeLease) Write(_ context.Context, w drivers.Write) (uint64, error) {
	if w.Client != "c1" || w.Process%10 != 4 || w.Grant < 1 || w.Request != 2 || w.Lock != "lock-1" || w.Base != 6 || w.Value != 61 {
		return 0, fmt.Errorf("a write that nobody meant: %+v", w)
	}
	if l.write != nil {
		if err := l.write(); err != nil {
			return 0, err
		}
	}
	return 7, nil
}

// TestInTransaction holds what is recorded of a write that takes effect with the release: it ends with it.
func TestInTransaction(t *testing.T) {
	const p, g = 4, 1
	begin := healthyCycle(p, g)[:5]
	end := func(f string, as history.Type) shape {
		s := shape{p, as, f, g, 0}
		if f == history.Write {
			s.request = 2
		}
		return s
	}
	release, abandon, lost := end(history.Release, history.Invoke), end(history.Abandon, history.OK), end(history.Lost, history.OK)
	next := shape{p + 10, history.Invoke, history.Acquire, 1, 0}
	for name, tt := range map[string]struct {
		write, release error
		lose           bool // the lock, as it writes
		want           []shape
	}{
		"committed": {want: []shape{release, end(history.Write, history.OK), end(history.Release, history.OK), {p, history.Invoke, history.Acquire, g + 1, 0}}},
		"in doubt": {
			release: errors.New("timeout"),
			want:    []shape{release, end(history.Write, history.Info), end(history.Release, history.Info), abandon, next},
		},
		// The server's word that nothing is held any more may have followed the commit.
		"not held": {
			release: drivers.ErrNotHeld,
			want:    []shape{release, end(history.Write, history.Info), end(history.Release, history.Fail), abandon, next},
		},
		"not written": {
			write: errors.New("refused"),
			want:  []shape{end(history.Write, history.Fail), release, end(history.Release, history.OK), {p, history.Invoke, history.Acquire, g + 1, 0}},
		},
		"lost": {lose: true, want: []shape{lost, end(history.Write, history.Fail), abandon, next}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{ledger: noLedger{}}
			f.write = func() error {
				if tt.lose {
					f.mu.Lock()
					defer f.mu.Unlock()
					close(f.lost)
				}
				return tt.write
			}
			f.release = func() error { return tt.release }
			h := start(t, f, nil)
			h.held(load(true), p, g)
			h.resume()
			h.expect(func(e Event) bool { return e.Held != nil })
			f.awaitGrants(2)
			ops := h.history()
			want := append(slices.Clone(begin), tt.want...)
			compare(t, shapes(ops, len(want)), want)
			for _, o := range ops {
				if o.F == history.Write && o.Type == history.OK && o.Version != history.Some(7) || o.Type == history.Info && o.Version.Set {
					t.Fatalf("version of %+v", o)
				}
			}
			if len(*h.store) > 0 {
				t.Errorf("%d requests reached the resource", len(*h.store))
			}
		})
	}
}
