package checker

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// What a HoldStream tells line by line is what Holds finds in the whole history, after as many passes as it asks for.
func TestHoldStreamTellsWhatHoldsFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := drawHistory(t)
		h, err := history.Parse(ops)
		if err != nil {
			t.Fatal(err)
		}
		var known Known
		for range 6 {
			told, missed := streamHolds(t, ops, known)
			if !missed.Nothing() {
				known = known.And(missed)
				continue
			}
			all := Holds(h)
			if len(told) != len(all) {
				t.Fatalf("%d of %d acquires were told", len(told), len(all))
			}
			for _, want := range all {
				got := told[history.GrantKey{Process: want.Process.N, Grant: want.N}]
				// A client may be killed before it writes its last lines.
				if got.Answered != max(want.Answered, want.Invoke.Time) || got.Unanswered != want.Unanswered || got.Held != want.Held || got.End != want.End {
					t.Fatalf("acquire of line %d: got %+v, want %+v", want.Invoke.Line, got, want)
				}
			}
			return
		}
		t.Fatal("six passes were not enough")
	})
}

// streamHolds returns what one pass tells, and checks that it tells it in turn.
func streamHolds(t *rapid.T, ops []history.Op, known Known) (map[history.GrantKey]*Hold, Known) {
	s := NewHoldStream(known)
	told, ended := map[history.GrantKey]*Hold{}, map[*Hold]HoldEventKind{}
	now := int64(0)
	take := func(events []HoldEvent) {
		for _, e := range events {
			key := history.GrantKey{Process: e.Process.N, Grant: e.N}
			if before, asked := ended[e.Hold]; asked == (e.What == Asked) || e.What == Ended && before != Answered {
				t.Fatalf("%d at %d of line %d", e.What, now, e.Invoke.Line)
			}
			told[key], ended[e.Hold] = e.Hold, e.What
		}
	}
	for i := range ops {
		if op := &ops[i]; op.Time > now {
			take(s.Settle(now))
			now = op.Time
		}
		if err := s.Feed(&ops[i]); err != nil {
			t.Fatal(err)
		}
	}
	take(s.Settle(now))
	last, missed, err := s.Finish(now)
	if err != nil {
		t.Fatal(err)
	}
	if missed.Nothing() {
		take(last)
	}
	return told, missed
}
