package checker

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

func feed(t testing.TB, s *Stream, ops []history.Op) {
	t.Helper()
	for i := range ops {
		if err := s.Feed(&ops[i]); err != nil {
			t.Fatal(err)
		}
	}
}

// A hold that begins while another is open is told at once; that the other's client had died is known when it is
// silent.
func TestSoFar(t *testing.T) {
	ops := script(t, `
		1,2 c1 1 acquire ok 1
		3,4 c2 2 acquire ok 1
		5,6 c2 2 release ok 1
		7,8 c1 1 release ok 1
	`)
	s := NewStream(Options{})
	feed(t, s, ops[:3])
	if got := s.SoFar(); len(got.Violations) > 0 || got.Counts.Grants != 1 {
		t.Errorf("before the second grant: %+v", got)
	}
	feed(t, s, ops[3:4])
	if got := s.SoFar(); got.Undecided != 1 || len(got.Violations) != 1 || got.Violations[0].By.Client != "c2" || !got.Violations[0].Provisional {
		t.Errorf("after the second grant: %+v", got)
	}
	seeming := s.SoFar().Violations[0].ID()
	feed(t, s, ops[4:])
	if got := s.SoFar(); len(got.Violations) != 1 || got.Violations[0].Provisional || got.Violations[0].ID() != seeming || got.Counts.Overlap != 1 {
		t.Errorf("in the end: %+v", got)
	}
	died := NewStream(Options{})
	feed(t, died, ops[:6])
	if got := died.SoFar(); got.Undecided != 1 {
		t.Errorf("while the first may be alive: %+v", got)
	}
	if r, err := died.Finish(); err != nil || r.Counts.Overlap != 0 {
		t.Errorf("the first was not heard of again: %+v, %v", r.Counts, err)
	}
}

// A holder that is taken for dead, because much waits for its end, is told of as long as it may be alive.
func TestSoFarTellsOfASilentHolder(t *testing.T) {
	ops := script(t, `
		1,2 c1 1 acquire ok 1
		3,4 c2 2 acquire ok 1
		5,6 c2 2 release ok 1
		7,8 c2 2 acquire ok 2
		9,10 c2 2 release ok 2
		11,12 c2 2 acquire ok 3
		13,14 c2 2 release ok 3
		15 c2 2 acquire invoke 4`)
	s := newStream(Options{}, &retain{watched: 1, newest: 1}, 0)
	feed(t, s, ops)
	got := s.SoFar()
	if len(s.sweep.silent) != 1 || len(got.Violations) != 1 || got.Violations[0].Against.Client != "c1" || got.Violations[0].By.GrantID != (GrantID{2, 1}) {
		t.Errorf("%+v", got)
	}
	if r, err := s.Finish(); err != nil || r.Counts.Overlap != 0 {
		t.Errorf("it was not heard of again: %+v, %v", r.Counts, err)
	}
}

// Whatever overlap, lost update or regressed token is found in the end was told, or was undecided, at the last line.
func TestSoFarMissesNothing(t *testing.T) {
	overlaps, lost := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		ops := slices.Clone(drawSteps(t, 60, 100, 200))
		slices.SortStableFunc(ops, func(a, b history.Op) int { return int(a.Time - b.Time) })
		s := NewStream(Options{})
		for i := range ops {
			ops[i].Index = int64(i)
			if s.Feed(&ops[i]) != nil {
				return // the resource's lines went out of their order
			}
			s.SoFar() // looking changes nothing
		}
		known := s.SoFar()
		got, err := s.Finish()
		if err != nil {
			return
		}
		want, err := Check(ops, Options{})
		if err != nil || got.Counts != want.Counts {
			t.Fatalf("%+v, %v, want %+v", got.Counts, err, want.Counts)
		}
		if got.Counts.Overlap > known.Counts.Overlap+known.Undecided || got.Counts.LostUpdate > known.Counts.LostUpdate ||
			got.Counts.TokenRegression > known.Counts.TokenRegression {
			t.Fatalf("found %+v, knew %+v\n%s", got.Counts, known, text(ops))
		}
		overlaps, lost = overlaps+got.Counts.Overlap, lost+got.Counts.LostUpdate
	})
	if overlaps == 0 || lost == 0 {
		t.Errorf("%d overlaps and %d lost updates in all histories", overlaps, lost)
	}
}
