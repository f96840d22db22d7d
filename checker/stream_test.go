package checker

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// TestForgettingChangesNothing judges random histories once with everything of them remembered.
func TestForgettingChangesNothing(t *testing.T) {
	again := 0
	rapid.Check(t, func(t *rapid.T) {
		ops := drawSteps(t, 80, 160, 320)
		opt := Options{StuckAfter: 5, MinGrants: 1, MinAttempts: 1}
		read := func(feed func(*history.Op) error) error {
			for i := range ops {
				if err := feed(&ops[i]); err != nil {
					return err
				}
			}
			return nil
		}
		want, err := inPasses(&retain{all: true}, read, opt)
		if err != nil {
			t.Fatal(err)
		}
		least := &retain{watched: 1, newest: 1}
		if got, err := inPasses(least, read, opt); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v\nwant %+v\n%s", got, err, want, text(ops))
		}
		if len(least.grants)+len(least.tokens) > 0 {
			again++
		}
	})
	if again == 0 {
		t.Error("nothing was forgotten too early")
	}
}

// streamed judges a history in one pass.
func streamed(ops []history.Op, opt Options) (Result, error) {
	s := NewStream(opt)
	for i := range ops {
		if err := s.Feed(&ops[i]); err != nil {
			return Result{}, err
		}
	}
	return s.Finish()
}

// turns are n grants of workers that take turns, with rising tokens; each reads and writes, and while it holds the
// next waits.
func turns(t *testing.T, n, workers int) []history.Op {
	var b strings.Builder
	granted := make([]int, workers)
	fmt.Fprintf(&b, "1 c0 0 acquire invoke 1\n")
	granted[0] = 1
	for i := range n {
		at, w, next := 10*i+2, i%workers, (i+1)%workers
		me := fmt.Sprintf("c%d %d", w, w)
		g := granted[w]
		fmt.Fprintf(&b, "%d %s acquire ok %d token=%d\n", at, me, g, i+1)
		if i < n-1 {
			granted[next]++
			fmt.Fprintf(&b, "%d c%d %d acquire invoke %d\n", at+1, next, next, granted[next])
		}
		for r, f := range []string{"read", "write"} {
			for j, typ := range []string{"invoke", "apply", "ok"} {
				fmt.Fprintf(&b, "%d %s %s %s %d.%d token=%d\n", at+2+3*r+j, me, f, typ, g, r+1, i+1)
			}
		}
		fmt.Fprintf(&b, "%d %s release invoke %d\n%d %s release ok %d\n", at+8, me, g, at+8, me, g)
	}
	return script(t, b.String())
}

// TestMemoryIsBoundByWhatIsOpen feeds many grants, and looks at what is remembered of them.
func TestMemoryIsBoundByWhatIsOpen(t *testing.T) {
	const workers = 5
	s := NewStream(Options{StuckAfter: 1000})
	for _, op := range turns(t, 5000, workers) {
		must.Succeed(t, s.Feed(&op))
	}
	l := s.sweep.locks["l"]
	for name, n := range map[string]int{
		"grants": len(s.sweep.grants), "live grants": l.live.n, "waiting": l.waiting.n, "holds": len(l.overlaps.grants), "turns": len(l.turns.grants) + len(l.turns.current), "token front": len(l.arrivals.front),
		"away": l.arrivals.away.n, "stale": len(s.sweep.stale), "incidents": len(s.sweep.incidents.all),
	} {
		if n > 5*workers {
			t.Errorf("%s: %d are remembered of 5000", name, n)
		}
	}
	if n := len(l.tokens.first); n > 32 {
		t.Errorf("%d tokens are remembered", n)
	}
	if r, err := s.Finish(); err != nil || r.Exclusion.Verdict != Valid || r.Counts.Grants != 5000 || r.Data.Verdict != Valid {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestLinesAboutWhatIsLongOver needs a second pass: one pass has forgotten what they are about.
func TestLinesAboutWhatIsLongOver(t *testing.T) {
	const n, workers = 200, 2
	all := turns(t, n, workers)
	last := all[len(all)-1]
	for _, tt := range []struct {
		name  string
		lines string
		want  Counts
		joins []GrantID
	}{
		{"a token that was given long ago", "9000 c9 9 acquire invoke 1\n 9001 c9 9 acquire ok 1 token=9\n 9002 c9 9 release invoke 1",
			Counts{TokenRegression: 1}, []GrantID{{0, 5}, {1, 100}, {9, 1}}},
		{"a write of a grant that was released", "9000 c0 0 write invoke 1.9 base=200\n 9001 c0 0 write apply 1.9",
			Counts{StaleWrite: 1}, []GrantID{{0, 1}, {1, 100}}},
		{"an abandon of it", "9000 c0 0 abandon ok 1", Counts{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ops := slices.Clone(all)
			for _, op := range script(t, tt.lines) {
				op.Index += last.Index + 1
				if op.Type == history.Apply {
					op.Seq, op.Version, op.Base = 2*n+1, history.Some(n+1), history.Some(n)
				}
				ops = append(ops, op)
			}
			if _, err := streamed(ops, Options{}); !errors.Is(err, ErrForgotten) {
				t.Errorf("in one pass: %v", err)
			}
			r := check(t, ops, Options{})
			got := r.Counts
			got.Attempts, got.Grants, got.Writes, got.Ambiguous = 0, 0, 0, 0
			if got != tt.want {
				t.Errorf("%+v", r)
			}
			if tt.joins != nil && (len(r.Incidents) != 1 || !reflect.DeepEqual(r.Incidents[0].Grants, tt.joins)) {
				t.Errorf("%+v", r.Incidents)
			}
		})
	}
}

func TestStreamRefusesLinesOutOfOrder(t *testing.T) {
	ops := script(t, granted+usedLater)
	for i := range ops {
		ops[i].Time += 10
	}
	ops = append(ops, script(t, "5 c9 9 acquire invoke 1")...)
	ops[len(ops)-1].Index = int64(len(ops) - 1)
	if _, err := streamed(ops, Options{}); !errors.Is(err, ErrOutOfOrder) {
		t.Errorf("got %v", err)
	}
	if r := check(t, ops, Options{}); r.Counts.Attempts != 3 {
		t.Errorf("%+v", r)
	}
}

// TestHolderThatDiesOfItself has a client fall silent while it holds, and others use the lock after it. If it speaks
// again at the end, it held all the time.
func TestHolderThatDiesOfItself(t *testing.T) {
	const n = 3 * 256
	var b strings.Builder
	b.WriteString("1 c9 9 acquire invoke 1\n 1 c9 9 acquire ok 1\n")
	for i := range n {
		for j, what := range []string{"acquire invoke", "acquire ok", "release invoke", "release ok"} {
			fmt.Fprintf(&b, "%d c1 1 %s %d\n", 10*i+2+j, what, i+1)
		}
	}
	for name, tt := range map[string]struct {
		more string
		want int
	}{
		"it is dead": {"", 0}, "it gives up": {"99999 c9 9 abandon ok 1", n}, "it speaks": {"99999 c9 9 lost ok 1", n},
		"it is killed":             {"99999 c9 -1 kill invoke", n},
		"it is started again":      {"99998 c9 10 acquire invoke 1\n 99999 c9 10 acquire fail 1", 0},
		"another worker of it was": {"3000 c9 10 acquire invoke 1\n 3001 c9 10 acquire fail 1\n 99999 c9 9 lost ok 1", n},
	} {
		t.Run(name, func(t *testing.T) {
			ops := script(t, b.String()+tt.more)
			slices.SortStableFunc(ops, func(a, b history.Op) int { return int(a.Time - b.Time) })
			for i := range ops {
				ops[i].Index = int64(i)
			}
			s := NewStream(Options{})
			for i := range ops {
				must.Succeed(t, s.Feed(&ops[i]))
			}
			if n := s.sweep.locks["l"].overlaps.len(); n > 300 {
				t.Errorf("%d grants are remembered", n)
			}
			if r := check(t, ops, Options{}); r.Counts.Overlap != tt.want {
				t.Errorf("%d overlaps of %d", r.Counts.Overlap, tt.want)
			}
		})
	}
}

// TestWindow has one process in five write its lines late: by fewer lines than the window holds, and by more.
func TestWindow(t *testing.T) {
	ops := turns(t, 1000, 5)
	want := check(t, ops, Options{})
	late := slices.Clone(ops)
	key := func(op history.Op) int64 {
		if op.Process == 3 && op.Type != history.Apply {
			return op.Time + 25
		}
		return op.Time
	}
	slices.SortStableFunc(late, func(a, b history.Op) int { return int(key(a) - key(b)) })
	for i := range late {
		late[i].Index = int64(i)
		if i > 100 && late[i].Type == history.Apply && late[i].Process == 2 {
			late[i].Time -= 12 // the resource's order is its own, whatever its clock says
		}
	}
	for size, wantErr := range map[int]error{0: ErrOutOfOrder, 4: ErrOutOfOrder, 64: nil} {
		s := newStream(Options{}, newRetain(), size)
		var err error
		for i := 0; i < len(late) && err == nil; i++ {
			if err = s.Feed(&late[i]); s.window != nil && len(s.window.lines) > size {
				t.Fatalf("%d lines are in a window of %d", len(s.window.lines), size)
			}
		}
		var got Result
		if err == nil {
			got, err = s.Finish()
		}
		if !errors.Is(err, wantErr) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("size %d: %+v, %v", size, got, err)
		}
	}
	if got := check(t, late, Options{}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}
