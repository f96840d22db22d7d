package checker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// ofHosts marks a history as one of several hosts.
func ofHosts(ops []history.Op) []history.Op {
	mark := history.Op{Client: "nemesis", Process: history.NemesisProcess, Type: history.OK, F: history.Hosts, Fault: &history.Fault{Hosts: []string{"h1", "h2"}}}
	all := slices.Insert(slices.Clone(ops), 0, mark)
	for i := range all {
		all[i].Index = int64(i)
	}
	return all
}

// judgeHosts counts straight from the definitions what is counted of several hosts.
func (o *oracle) judgeHosts() {
	isLater := func(b, a *oracleGrant) bool {
		return a.lock == b.lock && a.token.Set && b.token.Set && b.token.V > a.token.V
	}
	for _, g := range o.grants { // a death is no line of the worker
		g.killed = 1 << 62
	}
	for i, a := range o.grants {
		counted := false
		own := func(a, b *oracleGrant) bool { return a.id.Process == b.id.Process && a.okLine < b.okLine }
		for _, b := range o.grants {
			if a != b && a.lock == b.lock && a.token.Set && b.token.Set {
				counted = counted || own(b, a) && a.token.V <= b.token.V || a.token == b.token && o.goesFirst(b, a, own)
			}
		}
		for _, b := range o.grants[:i] {
			if o.inTurns(a, b) || o.inTurns(b, a) {
				o.counts.Interleaved++
			}
		}
		if counted {
			o.counts.TokenRegression++
		}
	}
	for i, r := range o.reqs {
		o.lost(r, o.reqs[:i])
		stale := slices.ContainsFunc(o.reqs[:i], func(e *oracleRequest) bool { return e.applied && isLater(e.g, r.g) })
		switch {
		case !r.applied && stale:
			o.counts.FencedOff++
		case !r.applied:
			o.counts.BrokenFence++
		case r.f == history.Write && stale:
			o.counts.StaleWrite++
		}
	}
}

// inTurns looks for a request of b between two of a.
func (o *oracle) inTurns(a, b *oracleGrant) bool {
	state := 0
	for _, r := range o.reqs {
		qualified := r.ansLine < len(o.ops) && r.g.inside(r.ansLine, r.ans)
		if want := []*oracleGrant{a, b, a}; state < 3 && qualified && r.g == want[state] {
			state++
		}
	}
	return a.lock == b.lock && state == 3
}

// TestHostsAgainstTheDefinitions gives each host a clock of its own, and puts the lines of its processes together
// somehow.
func TestHostsAgainstTheDefinitions(t *testing.T) {
	counted := Counts{}
	rapid.Check(t, func(t *rapid.T) {
		ops := drawSteps(t, 80, 160)
		if rapid.Bool().Draw(t, "dealt") {
			slices.SortStableFunc(ops, func(a, b history.Op) int { return int(hostOf(a) - hostOf(b)) })
		}
		for i := range ops {
			if hostOf(ops[i]) == 1 {
				ops[i].Time += 1000
			}
		}
		ops = ofHosts(ops)
		r := check(t, ops, Options{StuckAfter: 5})
		o := newOracle(ops)
		o.judgeHosts()
		want := o.counts
		want.Attempts, want.Grants, want.Ambiguous = r.Counts.Attempts, len(o.grants), r.Counts.Ambiguous
		want.ReleasedUnheld = r.Counts.ReleasedUnheld // no order matters to it
		if r.Counts != want {
			t.Fatalf("counts\n got %+v\nwant %+v\n%s", r.Counts, want, text(ops))
		}
		if r.Liveness.Verdict != NotApplicable || !strings.Contains(r.Exclusion.Reason, "overlap is not applicable") || !strings.Contains(r.Data.Reason, "tokens alone") {
			t.Fatalf("%+v", r)
		}
		counted.Interleaved += want.Interleaved
		counted.TokenRegression += want.TokenRegression
		counted.StaleWrite += want.StaleWrite
		counted.FencedOff += want.FencedOff
		counted.BrokenFence += want.BrokenFence
	})
	if counted.Interleaved == 0 || counted.TokenRegression == 0 || counted.StaleWrite == 0 || counted.FencedOff == 0 || counted.BrokenFence == 0 {
		t.Errorf("too little was seen: %+v", counted)
	}
}

// hostOf deals the processes to two hosts, and the resource to a third.
func hostOf(op history.Op) int64 {
	switch {
	case op.Type == history.Apply || op.Type == history.Reject:
		return 2
	case op.Process < 0:
		return -1
	default:
		return op.Process % 2
	}
}

func TestVerdictsOfSeveralHosts(t *testing.T) {
	const use = `
		%[1]d %[2]s acquire invoke 1
		%[1]d %[2]s acquire ok 1 %[3]s
		%[1]d %[2]s write invoke 1.1
		%[1]d %[2]s write apply 1.1
		%[1]d %[2]s write ok 1.1
		%[1]d %[2]s release invoke 1`
	for _, tt := range []struct {
		name, lines     string
		opt             Options
		exclusion, data Verdict
		says            string
	}{
		{"clocks that differ", fmt.Sprintf(use, 100, "c1 0", "token=1") + fmt.Sprintf(use, 90, "c2 1", "token=2"), Options{}, Valid, Valid, "several hosts"},
		{"an equal token", fmt.Sprintf(use, 100, "c1 0", "token=1") + fmt.Sprintf(use, 90, "c2 1", "token=1"), Options{}, Invalid, Valid, "1 token regression, several hosts"},
		{"a lower token", fmt.Sprintf(use, 100, "c1 0", "token=2") + fmt.Sprintf(use, 200, "c2 1", "token=1"), Options{}, Valid, Invalid, "several hosts"},
		{"no tokens", fmt.Sprintf(use, 100, "c1 0", "") + fmt.Sprintf(use, 90, "c2 1", ""), Options{}, Valid, Valid, "several hosts"},
		{"neither tokens nor requests", granted + "\n 3 c1 0 release invoke 1", Options{}, Unknown, Unknown, "neither tokens nor requests"},
		{"an overlap", granted + "\n 5 c2 1 acquire invoke 1\n 6 c2 1 acquire ok 1 token=9\n 9 c1 0 release invoke 1\n 9 c2 1 release invoke 1", Options{}, Valid, Unknown, "overlap is not applicable"},
		{"too few grants", fmt.Sprintf(use, 100, "c1 0", "token=1"), Options{MinGrants: 2}, Unknown, Unknown, "only 1 grant, 2 are needed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := check(t, ofHosts(script(t, tt.lines)), tt.opt)
			if r.Exclusion.Verdict != tt.exclusion || r.Data.Verdict != tt.data || !strings.Contains(r.Exclusion.Reason, tt.says) {
				t.Errorf("exclusion %+v, data %+v", r.Exclusion, r.Data)
			}
		})
	}
}

// TestMarkOfHostsComesFirst holds that nothing is judged by clocks before it is known that there are several.
func TestMarkOfHostsComesFirst(t *testing.T) {
	ops := ofHosts(script(t, granted))
	ops[0], ops[1] = ops[1], ops[0]
	ops[0].Index, ops[1].Index, ops[1].Time = 0, 1, ops[0].Time
	if _, err := Check(ops, Options{}); err == nil || !strings.Contains(err.Error(), "line 2: ") {
		t.Errorf("got %v", err)
	}
}
