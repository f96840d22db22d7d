package checker

import (
	"hash/crc32"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker/history"
)

// faultOn is a fault on that target, always the same step; nil: it has none.
func faultOn(target string) *history.Fault {
	if target == "" {
		return nil
	}
	return &history.Fault{Step: 1 + int(crc32.ChecksumIEEE([]byte(target))>>16), Role: target}
}

// script turns lines "time client process f type grant[.request] [key=value…]" into a history of the lock "l". The
// resource's seq and versions, and the base of a write that names none, are what they should be. A line of the nemesis
// has no grant: "time client -1 f type [value=…]". A line with several times is as many ops in a row: "1,2,3 c1 0 read
// apply,ok 1.1" is an invoke at 1, an apply at 2 and an ok at 3. Its base is the invoke's, its token the last op's.
func script(t testing.TB, lines string) []history.Op {
	t.Helper()
	var ops []history.Op
	var seq, version uint64
	bases := map[string]history.Uint{}
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", lines, err)
		}
		return n
	}
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		w := strings.Fields(line)
		times, types := strings.Split(w[0], ","), strings.Split(w[4], ",")
		if len(types) < len(times) {
			types = append([]string{"invoke"}, types...)
		}
		for i, at := range times {
			op := history.Op{
				Index: int64(len(ops)), Time: number(at), Client: w[1], Process: number(w[2]), F: w[3], Type: history.Type(types[i]),
			}
			options := w[5:]
			if op.Process >= 0 {
				op.Lock, options = "l", w[6:]
				grant, request, ok := strings.Cut(w[5], ".")
				op.Grant = number(grant)
				if ok {
					op.Request = number(request)
				}
			}
			for _, o := range options {
				key, value, _ := strings.Cut(o, "=")
				switch {
				case key == "token" && i == len(times)-1:
					op.Token = history.Some(uint64(number(value)))
				case key == "base" && i == 0:
					op.Base = history.Some(uint64(number(value)))
				case key == "lock":
					op.Lock = value
				case key == "value":
					op.Fault = faultOn(value)
				}
			}
			id := w[2] + "/" + strings.Join(w[5:min(6, len(w))], "")
			switch {
			case op.Type == history.Apply || op.Type == history.Reject:
				seq++
				op.Seq = seq
				if op.F == history.Write && op.Type == history.Apply {
					version++
				}
				if op.Type == history.Apply {
					op.Version = history.Some(version)
				}
				op.Base = bases[id]
			case op.F == history.Write && op.Type == history.Invoke:
				if !op.Base.Set {
					op.Base = history.Some(version)
				}
				bases[id] = op.Base
			}
			ops = append(ops, op)
		}
	}
	return ops
}

// TestRows has, for each row of what is counted, histories that it must count and near misses that it must not.
func TestRows(t *testing.T) {
	for _, tt := range slices.Concat(exclusionRows, dataRows) {
		t.Run(tt.name, func(t *testing.T) {
			ops := script(t, tt.lines)
			r := check(t, ops, Options{StuckAfter: 10})
			got := howOften(r.Counts)
			got.Attempts, got.Grants, got.Writes, got.Ambiguous = 0, 0, 0, 0
			if got != tt.want {
				t.Errorf("got %+v\nwant %+v\n%s", got, tt.want, text(ops))
			}
			if broken := got.Overlap+got.Interleaved+got.TokenRegression > 0; broken != (r.Exclusion.Verdict == Invalid) {
				t.Errorf("exclusion %+v of %+v", r.Exclusion, got)
			}
			if broken := got.StaleWrite+got.LostUpdate > 0; broken != (r.Data.Verdict == Invalid) {
				t.Errorf("data %+v of %+v", r.Data, got)
			}
			if (got.StuckLock > 0) != (r.Liveness.Verdict == Invalid) {
				t.Errorf("liveness %+v of %+v", r.Liveness, got)
			}
			o := newOracle(ops)
			o.judge()
			o.counts.Writes, o.counts.StuckLock = 0, o.stuckLocks(10)
			if howOften(o.counts) != tt.want {
				t.Errorf("the oracle disagrees: %+v", o.counts)
			}
		})
	}
}

// howOften leaves out how bad it was, which TestHowBad has.
func howOften(c Counts) Counts {
	c.OverlapTime, c.LongestOverlap, c.OverlapBrief, c.Told, c.ToldLate, c.WorstMargin = 0, 0, 0, 0, 0, 0
	return c
}

// TestExample holds what docs/history.md says of its example.
func TestExample(t *testing.T) {
	b, err := os.ReadFile("../examples/history.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../docs/history.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "```\n"+string(b)+"```\n") {
		t.Error("docs/history.md shows another example than examples/history.jsonl")
	}
	ops, err := history.ReadAll(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	r := check(t, ops, Options{})
	if want := (Counts{Attempts: 3, Grants: 2, Writes: 1, Overlap: 1, OverlapTime: 1e8, LongestOverlap: 1e8, Told: 1, ToldLate: 1, WorstMargin: -899e6}); r.Counts != want {
		t.Errorf("counts %+v, want %+v", r.Counts, want)
	}
	if r.Exclusion.Verdict != Invalid || r.Data.Verdict != Valid || r.Liveness.Verdict != NotApplicable {
		t.Errorf("verdicts %+v, %+v, %+v", r.Exclusion, r.Data, r.Liveness)
	}
	want := []Violation{{
		Kind: Overlap, Lock: "invoice", At: 2_103_000_000, Until: 2_203_000_000, Overlap: 100_000_000,
		By:      Grant{GrantID{1, 2}, "c2", 2_100_000_000, 2_103_000_000, 2_203_000_000, nil, ByRelease},
		Against: Grant{GrantID{0, 1}, "c1", 0, 4_000_000, 3_003_000_000, nil, ByAbandon},
	}}
	if len(r.Incidents) != 1 || !reflect.DeepEqual(r.Incidents[0].Violations, want) {
		t.Errorf("incidents %+v", r.Incidents)
	}
	// Had c1 written where it abandons.
	write := ops[22]
	write.F, write.Type, write.Request, write.Base = history.Write, history.Invoke, 2, history.Some(0)
	apply := write
	apply.Index, apply.Type, apply.Seq, apply.Version = 23, history.Apply, 4, history.Some(2)
	ops[22] = write
	if c := check(t, append(ops, apply), Options{}).Counts; c.StaleWrite != 1 || c.LostUpdate != 1 {
		t.Errorf("counts %+v", c)
	}
}
