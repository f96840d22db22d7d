package checker_test

import (
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// A history that is valid in itself, and what no fault did in it.
func TestOutside(t *testing.T) {
	const sec = int64(1e9)
	outside := func(at int64, f, host string, lasted int64, why string) history.Op {
		return history.Op{
			Time: at, Client: "nemesis", Process: history.NemesisProcess, Type: history.OK, F: f, Lasted: lasted, Error: why,
			Fault: &history.Fault{Hosts: []string{host}},
		}
	}
	fault := func(at int64, typ history.Type, f string) history.Op {
		return history.Op{
			Time: at, Client: "nemesis", Process: history.NemesisProcess, Type: typ, F: f,
			Fault: &history.Fault{Step: 1, Role: "c1", Hosts: []string{"c1"}}, Error: map[history.Type]string{history.Fail: "it waited in vain"}[typ],
		}
	}
	for _, c := range []struct {
		name   string
		lines  []history.Op
		want   checker.Verdict
		reason string
		events int
		stalls int
	}{
		{name: "nothing", want: checker.Valid},
		{
			name: "a server died", lines: []history.Op{outside(3*sec, history.Died, "n1", 0, "signal: killed")},
			want: checker.Unknown, reason: "n1 died at 2.000 s (signal: killed), and no fault did it", events: 1,
		},
		{
			name: "a client was stopped", lines: []history.Op{outside(3*sec, history.Stopped, "c1", sec/10, "")},
			want: checker.Unknown, reason: "c1 was stopped for 100 ms until 2.000 s", events: 1,
		},
		{name: "a short stall", lines: []history.Op{outside(3*sec, history.Stalled, "c1", sec/10, "")}, want: checker.Valid, events: 1, stalls: 1},
		{
			name: "a stall as long as the bound", lines: []history.Op{outside(3*sec, history.Stalled, "c1", sec, "")},
			want: checker.Unknown, reason: "c1 was not run for 1.00 s until 2.000 s", events: 1, stalls: 1,
		},
		{name: "a clock was set", lines: []history.Op{outside(3*sec, history.Stepped, "coordinator", 0, "")}, want: checker.Valid, events: 1},
		{
			name: "a fault made it stand still", want: checker.Valid,
			lines: []history.Op{
				fault(2*sec, history.Invoke, "pause"), fault(2*sec+1, history.OK, "pause"),
				fault(3*sec, history.Invoke, history.Heal), fault(3*sec+1, history.OK, history.Heal),
				outside(3*sec+2, history.Stalled, "c1", sec, ""),
			},
		},
		{
			name: "a fault elsewhere did not", want: checker.Unknown, reason: "c2 was not run", events: 1, stalls: 1,
			lines: []history.Op{
				fault(2*sec, history.Invoke, "pause"), fault(2*sec+1, history.OK, "pause"),
				fault(3*sec, history.Invoke, history.Heal), fault(3*sec+1, history.OK, history.Heal),
				outside(3*sec+2, history.Stalled, "c2", sec, ""),
			},
		},
		{
			name: "a fault was not injected", lines: []history.Op{fault(3*sec, history.Fail, "pause")},
			want: checker.Unknown, reason: "pause (c1) was not injected, it waited in vain",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ops := []history.Op{
				{Time: sec, Client: "c1", Type: history.Invoke, F: history.Acquire, Lock: "l", Grant: 1},
				{Time: sec + 1, Client: "c1", Type: history.OK, F: history.Acquire, Lock: "l", Grant: 1},
				{Time: sec + 2, Client: "c1", Type: history.Invoke, F: history.Write, Lock: "l", Grant: 1, Request: 1, Base: history.Some(0)},
				{Time: sec + 3, Client: "c1", Type: history.Apply, F: history.Write, Lock: "l", Grant: 1, Request: 1, Seq: 1, Base: history.Some(0), Version: history.Some(1)},
				{Time: sec + 4, Client: "c1", Type: history.OK, F: history.Write, Lock: "l", Grant: 1, Request: 1, Version: history.Some(1)},
				{Time: sec + 5, Client: "c1", Type: history.Invoke, F: history.Release, Lock: "l", Grant: 1},
				{Time: sec + 6, Client: "c1", Type: history.OK, F: history.Release, Lock: "l", Grant: 1},
			}
			got, err := checker.Check(numbered(append(ops, c.lines...)), checker.Options{MaxStall: sec})
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range []checker.Judgement{got.Exclusion, got.Data} {
				if j.Verdict != c.want || !strings.Contains(j.Reason, c.reason) {
					t.Errorf("%+v, want %v because %q", j, c.want, c.reason)
				}
			}
			if len(got.Outside) != c.events || got.Stalls.N != c.stalls {
				t.Errorf("outside %+v, stalls %+v", got.Outside, got.Stalls)
			}
		})
	}
}

// Nobody knows whether a lock would have been granted in time if a server had not died.
func TestOutsideLeavesLivenessOpen(t *testing.T) {
	acquire := func(at int64, typ history.Type) history.Op {
		return history.Op{Time: at, Client: "c1", Type: typ, F: history.Acquire, Lock: "l", Grant: 1}
	}
	died := history.Op{Time: 3, Client: "nemesis", Process: history.NemesisProcess, Type: history.OK, F: history.Died, Fault: &history.Fault{Hosts: []string{"n1"}}}
	ops := []history.Op{acquire(1, history.Invoke), acquire(2, history.OK), died}
	for n, want := range map[int]checker.Verdict{2: checker.Valid, 3: checker.Unknown} {
		got, err := checker.Check(numbered(ops[:n]), checker.Options{GrantedWithin: 1e9})
		if err != nil || got.Liveness.Verdict != want || (want == checker.Unknown) != strings.Contains(got.Liveness.Reason, "n1 died") {
			t.Errorf("%d lines: %+v, %v", n, got.Liveness, err)
		}
	}
}

// A reason names the first of many deaths, and counts the others.
func TestManyDeaths(t *testing.T) {
	var ops []history.Op
	for i := range int64(5) {
		ops = append(ops, history.Op{
			Time: 1e9 * (i + 1), Client: "nemesis", Process: history.NemesisProcess, Type: history.OK, F: history.Died, Fault: &history.Fault{Hosts: []string{"n1"}},
		})
	}
	got, err := checker.Check(numbered(ops), checker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Exclusion.Reason; strings.Count(r, "n1 died") != 3 || !strings.HasSuffix(r, ", 2 more") {
		t.Errorf("%s", r)
	}
}

func numbered(ops []history.Op) []history.Op {
	for i := range ops {
		ops[i].Index = int64(i)
	}
	return ops
}

// Memory stays bounded: of many stalls the longest are kept, and everything that is no stall.
func TestManyStalls(t *testing.T) {
	ops := []history.Op{}
	for i := range int64(5000) {
		op := history.Op{
			Time: 1e9 + i*1e6, Client: "nemesis", Process: history.NemesisProcess, Type: history.OK, F: history.Stalled, Lasted: 1 + (i*7919)%5000,
			Fault: &history.Fault{Hosts: []string{"c1"}},
		}
		if i == 2500 {
			op.F, op.Lasted = history.Died, 0
		}
		ops = append(ops, op)
	}
	got, err := checker.Check(numbered(ops), checker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Outside) != 256 || got.Stalls.N != 4999 || got.Stalls.Longest != 5000 {
		t.Fatalf("%d events, stalls %+v", len(got.Outside), got.Stalls)
	}
	died, shortest := 0, int64(5000)
	for i, e := range got.Outside {
		if e.What == history.Died {
			died++
		} else {
			shortest = min(shortest, e.To-e.From)
		}
		if i > 0 && e.From < got.Outside[i-1].From {
			t.Fatalf("event %d is out of order", i)
		}
	}
	if died != 1 || shortest < 4700 {
		t.Errorf("%d deaths; the shortest stall kept lasted %d ns", died, shortest)
	}
}
