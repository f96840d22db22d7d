package explain

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// defaultChecks is how many histories a property looks at.
const defaultChecks = "300"

// TestMain makes the properties look at more histories than rapid does by itself; -rapid.checks asks for more.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		if err := flag.Set("rapid.checks", defaultChecks); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// TestExplanations holds, on random histories, that the explanation of an incident agrees with the checkers, and that
// its lines are the fewest that show it.
func TestExplanations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := drawHistory(t)
		h, err := history.Parse(ops)
		if err != nil {
			t.Fatalf("the generator is wrong: %v", err)
		}
		ends := map[checker.GrantID]checker.Hold{}
		for _, hold := range checker.Holds(h) {
			ends[checker.GrantID{Process: hold.Process.N, Grant: hold.N}] = hold
		}
		for i := range ops {
			t.Logf("%s", history.AppendLine(nil, &ops[i]))
		}
		result, all := explained(t, ops)
		for i := range all {
			agrees(t, &result.Incidents[i], &all[i], ends)
			isMinimal(t, &all[i], ops, ends)
		}
	})
}

// TestHugeIncident holds that an incident of many grants is explained like any other.
func TestHugeIncident(t *testing.T) {
	const many = 5000
	var ops []history.Op
	now := int64(0)
	log := func(client string, process, grant int64, typ history.Type, f, lock string) {
		now++
		ops = append(ops, history.Op{Index: now, Time: now, Client: client, Process: process, Type: typ, F: f, Lock: lock, Grant: grant})
	}
	grant := func(client string, process, grant int64, lock string) {
		log(client, process, grant, history.Invoke, history.Acquire, lock)
		log(client, process, grant, history.OK, history.Acquire, lock)
	}
	grant("c1", 0, 1, "huge")
	for n := range int64(many) {
		grant("c2", 1, n+1, "huge")
		log("c2", 1, n+1, history.OK, history.Abandon, "huge")
	}
	log("c1", 0, 1, history.OK, history.Abandon, "huge")
	grant("c1", 0, 2, "small")
	grant("c2", 1, many+1, "small")
	log("c1", 0, 2, history.OK, history.Abandon, "small")
	result, all := explained(t, ops)
	if len(all) != 2 {
		t.Fatalf("%d incidents", len(all))
	}
	if in := &result.Incidents[0]; all[0].Others != many-1 || in.Unlisted != many-len(in.Violations) {
		t.Errorf("%d other grants, %d violations and %d more", all[0].Others, len(in.Violations), in.Unlisted)
	}
	for i, e := range all {
		if len(e.Lines) != []int{6, 5}[i] || !strings.Contains(e.Text, "both held it for") {
			t.Errorf("got %+v", e)
		}
	}
}

// TestSeveralHosts holds that nothing is told that would take a clock.
func TestSeveralHosts(t *testing.T) {
	ops := []history.Op{{Client: "nemesis", Process: history.NemesisProcess, Type: history.OK, F: history.Hosts, Fault: &history.Fault{Hosts: []string{"h1", "h2"}}}}
	for process, client := range []string{"c1", "c2"} {
		for _, typ := range []history.Type{history.Invoke, history.OK} {
			op := history.Op{
				Index: int64(len(ops)), Time: int64(100 - 50*process), Client: client, Process: int64(process), Type: typ, F: history.Acquire, Lock: "a", Grant: 1,
			}
			if typ == history.OK {
				op.Token = history.Some(7)
			}
			ops = append(ops, op)
		}
	}
	_, all := explained(t, ops)
	if len(all) != 1 || !strings.HasPrefix(all[0].Text, "c2 was granted `a` at 0.000 s with token 7") || len(all[0].Lines) != 0 {
		t.Errorf("got %+v", all)
	}
}

// TestLongLife holds that a client's life is followed through its processes, of which each begins before the one
// before it ends, up to a bound.
func TestLongLife(t *testing.T) {
	for processes, told := range map[int64]bool{2: true, maxHops: true, maxHops + 10: false} {
		var ops []history.Op
		log := func(client string, process int64, typ history.Type, f, lock string) {
			n := int64(len(ops))
			ops = append(ops, history.Op{Index: n, Time: n, Client: client, Process: process, Type: typ, F: f, Lock: lock, Grant: 1})
		}
		log("c1", 0, history.Invoke, history.Acquire, "a")
		for p := range processes {
			log("c1", p+1, history.Invoke, history.Acquire, "other")
			log("c1", p, history.OK, history.Acquire, map[bool]string{true: "a", false: "other"}[p == 0])
			if p > 0 {
				log("c1", p, history.OK, history.Abandon, "other")
			}
		}
		log("c2", 1000, history.Invoke, history.Acquire, "a")
		log("c2", 1000, history.OK, history.Acquire, "a")
		log("c1", processes, history.Fail, history.Acquire, "other")
		_, all := explained(t, ops)
		if len(all) != 1 || (len(all[0].Lines) > 0) != told || len(all[0].Violations) != 1 {
			t.Errorf("%d processes: got %+v", processes, all)
		}
	}
}

// agrees compares what is told with what the checkers found.
func agrees(t *rapid.T, in *checker.Incident, e *Explanation, ends map[checker.GrantID]checker.Hold) {
	if len(e.Violations) == 0 || e.Violations[0].At != in.Begin {
		t.Fatalf("the incident began at %d; first is %+v", in.Begin, e.Violations)
	}
	var kinds []string
	for _, v := range e.Violations {
		kinds = append(kinds, v.Kind)
		if !slices.Contains(in.Grants, v.By.GrantID) || !slices.Contains(in.Grants, v.Against.GrantID) {
			t.Fatalf("%+v is of none of the incident's grants %v", v, in.Grants)
		}
	}
	slices.Sort(kinds)
	if want := slices.DeleteFunc(slices.Clone(in.Kinds), func(k string) bool { return k == checker.StaleDelayed }); !slices.Equal(kinds, want) {
		t.Fatalf("told %v of %v", kinds, want)
	}
	for _, g := range e.Grants {
		if hold := ends[g.GrantID]; hold.Held && hold.End != g.To || !hold.Held && g.To > g.From {
			t.Fatalf("%+v, but the checker says that it held (%v) until %d", g, hold.Held, hold.End)
		}
	}
	if e.Others+len(e.Grants) != len(in.Grants) {
		t.Fatalf("%d and %d grants of %d", len(e.Grants), e.Others, len(in.Grants))
	}
}

// isMinimal checks that the lines are some of the history's, show the first violation, and do not without any of
// their calls.
func isMinimal(t *rapid.T, e *Explanation, ops []history.Op, ends map[checker.GrantID]checker.Hold) {
	if len(e.Lines) == 0 || !slices.IsSorted(e.Lines) || len(slices.Compact(slices.Clone(e.Lines))) != len(e.Lines) || len(e.Lines) != len(e.Minimal) {
		t.Fatalf("lines %v of %d ops", e.Lines, len(e.Minimal))
	}
	lines := make([]line, len(e.Lines))
	for i, n := range e.Lines {
		lines[i] = line{n: n, op: ops[n-1]}
		got, want := e.Minimal[i], ops[n-1]
		got.Version, got.Base, want.Version, want.Base = history.Uint{}, history.Uint{}, history.Uint{}, history.Uint{}
		if got != want {
			t.Fatalf("line %d: got %+v, want %+v", n, got, want)
		}
	}
	v := e.Violations[0]
	shown, late := counts(t, e.Minimal, v, ends)
	if !shown || v.Delayed && !late {
		t.Fatalf("lines %v do not show %+v", e.Lines, v)
	}
	for _, fewer := range smaller(lines, v) {
		if again, nowLate := counts(t, renumber(fewer), v, ends); again && nowLate == late {
			t.Fatalf("lines %v show %+v, but so do\n%+v", e.Lines, v, fewer)
		}
	}
}

// smaller are the lines without one call, or without one grant and all its calls. The call that ended the hold of one
// of the violation's own grants goes with the grant only.
func smaller(lines []line, v checker.Violation) [][]line {
	type call struct {
		id      checker.GrantID
		request int64
		from    int
	}
	var all [][]line
	open := map[checker.GrantID]call{}
	calls := map[call][]int{}
	var order []call
	given := map[checker.GrantID]bool{}
	grants := map[checker.GrantID][]int{}
	for i, l := range lines {
		if l.op.IsNemesis() {
			continue
		}
		id := checker.GrantID{Process: l.op.Process, Grant: l.op.Grant}
		if grants[id] = append(grants[id], i); l.op.F == history.Acquire {
			continue
		}
		c := call{id: id, from: l.n}
		switch {
		case l.op.Request > 0:
			c = call{id: id, request: l.op.Request}
		case l.op.F == history.Release && l.op.Type == history.Invoke:
			open[id] = c
		case l.op.F == history.Release:
			c = open[id]
		}
		ends := (l.op.F == history.Release && l.op.Type == history.Invoke || l.op.F == history.Abandon) && !given[id]
		if given[id] = given[id] || ends; ends {
			c = call{}
			open[id] = c
		}
		if c == (call{}) {
			continue
		}
		if calls[c] == nil {
			order = append(order, c)
		}
		calls[c] = append(calls[c], i)
	}
	without := func(out []int) []line {
		var rest []line
		for i, l := range lines {
			if !slices.Contains(out, i) {
				rest = append(rest, l)
			}
		}
		return rest
	}
	for _, c := range order {
		all = append(all, without(calls[c]))
	}
	for _, out := range grants {
		all = append(all, without(out))
	}
	return all
}

// counts reports whether the checkers count the violation between its two grants, none of whose holds lasts longer
// than it did, and whether they call a write of that incident delayed.
func counts(t *rapid.T, ops []history.Op, v checker.Violation, ends map[checker.GrantID]checker.Hold) (shown, late bool) {
	h, err := history.Parse(ops)
	if err != nil {
		return false, false
	}
	for _, hold := range checker.Holds(h) {
		id := checker.GrantID{Process: hold.Process.N, Grant: hold.N}
		if was := ends[id]; (id == v.By.GrantID || id == v.Against.GrantID) && hold.Held && (!was.Held || hold.End > was.End) {
			return false, false
		}
	}
	result, err := checker.Check(ops, checker.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, in := range result.Incidents {
		if slices.Contains(in.Kinds, v.Kind) && slices.Contains(in.Grants, v.By.GrantID) && slices.Contains(in.Grants, v.Against.GrantID) {
			return true, v.Kind == checker.StaleWrite && slices.Contains(in.Kinds, checker.StaleDelayed)
		}
	}
	return false, false
}
