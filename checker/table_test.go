package checker

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/history"
)

// script turns lines "time client process f type grant[.request] [key=value…]" into a history of the lock "l". The
// resource's seq and versions, and the base of a write that names none, are what they should be. A line of the nemesis
// has no grant: "time client -1 f type [value=…]".
func script(t *testing.T, lines string) []history.Op {
	t.Helper()
	var ops []history.Op
	var seq, version uint64
	bases := map[string]history.Uint{}
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		w := strings.Fields(line)
		number := func(s string) int64 {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return n
		}
		op := history.Op{
			Index: int64(len(ops)), Time: number(w[0]), Client: w[1], Process: number(w[2]), F: w[3], Type: history.Type(w[4]),
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
			switch key {
			case "token":
				op.Token = history.Some(uint64(number(value)))
			case "base":
				op.Base = history.Some(uint64(number(value)))
			case "lock":
				op.Lock = value
			default:
				op.Value = value
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
	return ops
}

// TestRows has, for each row of what is counted, histories that it must count and near misses that it must not.
func TestRows(t *testing.T) {
	for _, tt := range slices.Concat(exclusionRows, dataRows) {
		t.Run(tt.name, func(t *testing.T) {
			ops := script(t, tt.lines)
			r := check(t, ops, Options{StuckAfter: 10})
			got := r.Counts
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
			if o.counts != tt.want {
				t.Errorf("the oracle disagrees: %+v", o.counts)
			}
		})
	}
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
	if want := (Counts{Attempts: 3, Grants: 2, Writes: 1, Overlap: 1}); r.Counts != want {
		t.Errorf("counts %+v, want %+v", r.Counts, want)
	}
	if r.Exclusion.Verdict != Invalid || r.Data.Verdict != Valid || r.Liveness.Verdict != NotApplicable {
		t.Errorf("verdicts %+v, %+v, %+v", r.Exclusion, r.Data, r.Liveness)
	}
	const want = "c2 was granted `invoice` at 2.103 s while c1, granted it at 0.004 s, still held it"
	if len(r.Incidents) != 1 || r.Incidents[0].Explanation != want {
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
