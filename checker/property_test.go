package checker

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

func check(t rapid.TB, ops []history.Op, opt Options) Result {
	t.Helper()
	r, err := Check(ops, opt)
	if err != nil {
		t.Fatalf("%v\n%s", err, text(ops))
	}
	return r
}

func text(ops []history.Op) string {
	var b []byte
	for i := range ops {
		b = history.AppendLine(b, &ops[i])
	}
	return string(b)
}

// defaultChecks is how many histories a property looks at.
const defaultChecks = 400

// TestMain makes the properties look at more histories than rapid does by itself; -rapid.checks asks for more.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		if err := flag.Set("rapid.checks", strconv.Itoa(defaultChecks)); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// compare compares the sweeps with the oracle.
func compare(t *rapid.T, ops []history.Op, bound int64) {
	got := check(t, ops, Options{StuckAfter: bound})
	o := newOracle(ops)
	o.judge()
	o.losses()
	want := o.counts
	want.StuckLock = o.stuckLocks(bound)
	want.Attempts, want.Grants, want.Ambiguous = got.Counts.Attempts, len(o.grants), got.Counts.Ambiguous
	if got.Counts != want {
		t.Fatalf("counts\n got %+v\nwant %+v\n%s", got.Counts, want, text(ops))
	}
	checkIncidents(t, ops, o, got)
}

func TestAgainstTheDefinitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { compare(t, drawHistory(t), int64(rapid.IntRange(1, 8).Draw(t, "bound"))) })
}

// checkIncidents holds incidents between two partitions: what must be together is, and what is together can be.
func checkIncidents(t *rapid.T, ops []history.Op, o *oracle, got Result) {
	of := map[GrantID]int{}
	for i, in := range got.Incidents {
		if in.Begin > in.End || len(in.Kinds) == 0 || len(in.Violations) == 0 {
			t.Fatalf("incident %+v\n%s", in, text(ops))
		}
		for _, g := range in.Grants {
			if _, ok := of[g]; ok {
				t.Fatalf("grant %v is in two incidents\n%s", g, text(ops))
			}
			of[g] = i
		}
	}
	inMay := map[GrantID]map[GrantID]bool{}
	link := func(a, b GrantID) {
		if inMay[a] == nil {
			inMay[a] = map[GrantID]bool{a: true}
		}
		inMay[a][b] = true
	}
	for _, p := range append(o.may, o.must...) {
		link(p[0], p[1])
		link(p[1], p[0])
	}
	found := 0
	for _, in := range got.Incidents {
		found += in.Unlisted + len(in.Violations)
		for _, v := range in.Violations {
			if !inMay[v.By.GrantID][v.Against.GrantID] || !slices.Contains(in.Grants, v.By.GrantID) || !slices.Contains(in.Kinds, v.Kind) {
				t.Fatalf("the definitions know no such violation: %+v\n%s", v, text(ops))
			}
		}
	}
	if c := got.Counts; found != c.Overlap+c.Interleaved+c.TokenRegression+c.StaleWrite+c.LostUpdate {
		t.Fatalf("%d violations of %+v\n%s", found, c, text(ops))
	}
	for _, p := range o.must {
		i, ok := of[p[0]]
		if j, ok2 := of[p[1]]; !ok || !ok2 || i != j {
			t.Fatalf("grants %v belong to one incident, got %+v\n%s", p, got.Incidents, text(ops))
		}
	}
	for _, p := range o.may {
		if _, ok := of[p[0]]; !ok { // the first is the one that is counted
			t.Fatalf("grant %v is in no incident\n%s", p[0], text(ops))
		}
	}
	for _, in := range got.Incidents {
		reached := map[GrantID]bool{in.Grants[0]: true}
		for grown := true; grown; {
			grown = false
			for _, a := range slices.Collect(maps.Keys(reached)) {
				for b := range inMay[a] {
					if !reached[b] && of[b] == of[a] {
						if _, ok := of[b]; ok {
							reached[b], grown = true, true
						}
					}
				}
			}
		}
		for _, g := range in.Grants {
			if !reached[g] {
				t.Fatalf("nothing joins %v to incident %+v\n%s", g, in, text(ops))
			}
		}
	}
}
