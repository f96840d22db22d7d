package checker

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// The properties here need no oracle: a history is changed so that what must become of its result is known.

// TestNamesAndOriginDoNotMatter renames all clients and locks, so that they sort the other way round, and shifts all
// times.
func TestNamesAndOriginDoNotMatter(t *testing.T) {
	there, back := map[string]string{}, []string{}
	for i := range 9 {
		for _, name := range []string{"c", "l"} {
			there[fmt.Sprint(name, i+1)] = fmt.Sprint("x", name, 9-i)
			back = append(back, fmt.Sprint("x", name, 9-i), fmt.Sprint(name, i+1))
		}
	}
	original := strings.NewReplacer(back...)
	rename := func(name *string) {
		if to, ok := there[*name]; ok {
			*name = to
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		ops := drawHistory(t)
		opt := Options{StuckAfter: 5, MinGrants: 1, MinAttempts: 1}
		want := check(t, ops, opt)
		const shift = 1 << 40
		renamed := slices.Clone(ops)
		for i := range renamed {
			op := &renamed[i]
			op.Time += shift
			rename(&op.Client)
			rename(&op.Lock)
			if op.Fault != nil {
				fault := *op.Fault
				rename(&fault.Role)
				op.Fault = &fault
			}
		}
		got := check(t, renamed, opt)
		for i := range got.Incidents {
			in := &got.Incidents[i]
			in.Begin, in.End, in.Lock = in.Begin-shift, in.End-shift, original.Replace(in.Lock)
			for j := range in.Violations {
				v := &in.Violations[j]
				v.At, v.Until, v.Lock = v.At-shift, v.Until-shift, original.Replace(v.Lock)
				for _, g := range []*Grant{&v.By, &v.Against} {
					g.Client, g.Asked, g.From, g.To = original.Replace(g.Client), g.Asked-shift, g.From-shift, g.To-shift
				}
				for k := range v.Requests {
					v.Requests[k].Invoked -= shift
					v.Requests[k].Served -= shift
				}
			}
		}
		got.Begin = max(0, got.Begin-shift)
		for i := range got.Faults {
			f := &got.Faults[i]
			f.Role, f.From = original.Replace(f.Role), f.From-shift
			if f.To != 0 {
				f.To -= shift
			}
			for j, host := range f.Hosts {
				f.Hosts[j] = original.Replace(host)
			}
		}
		for _, j := range []*Judgement{&got.Exclusion, &got.Data, &got.Liveness} {
			j.Reason = original.Replace(j.Reason)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v\nwant %+v\n%s", got, want, text(ops))
		}
	})
}

// TestOrderAcrossProcessesDoesNotMatter deals the lines to streams, one for each process, and puts them together
// differently. The result is the same if no two times are; at equal times, and of several hosts, the lines decide which
// of two grants is told as the second one, but not how many are counted.
func TestOrderAcrossProcessesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := drawHistory(t)
		ties := rapid.Bool().Draw(t, "ties")
		opt := Options{StuckAfter: 5, MinGrants: 1, MinAttempts: 1}
		if !ties {
			opt.StuckAfter *= 1000
			for i := range ops {
				ops[i].Time = ops[i].Time*1000 + int64(i)
			}
		}
		mixed := mix(t, ops)
		if rapid.Bool().Draw(t, "hosts") {
			ops, mixed, ties = ofHosts(ops), ofHosts(mixed), true
		}
		want, got := check(t, ops, opt), check(t, mixed, opt)
		want.Liveness.Reason, got.Liveness.Reason = "", "" // it lists locks as they come
		if ties {
			want.Incidents, got.Incidents = nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v\nwant %+v\n%s\nmixed\n%s", got, want, text(ops), text(mixed))
		}
	})
}

// mix deals the lines to streams, one for each process and one for the resource, and puts them together differently.
func mix(t *rapid.T, ops []history.Op) []history.Op {
	streams := map[string][]history.Op{}
	for _, op := range ops {
		key := fmt.Sprint(op.Process)
		if op.Type == history.Apply || op.Type == history.Reject {
			key = "resource"
		}
		streams[key] = append(streams[key], op)
	}
	var mixed []history.Op
	for len(streams) > 0 {
		key := rapid.SampledFrom(slices.Sorted(maps.Keys(streams))).Draw(t, "stream")
		mixed = append(mixed, streams[key][0])
		if streams[key] = streams[key][1:]; len(streams[key]) == 0 {
			delete(streams, key)
		}
	}
	return numbered(mixed)
}

func numbered(ops []history.Op) []history.Op {
	for i := range ops {
		ops[i].Index = int64(i)
	}
	return ops
}

// drawHolds draws a history without requests, so that its lines can be moved and left out one by one, and the line of
// one of its grants; ok is false if it has none.
func drawHolds(t *rapid.T) (ops []history.Op, line int, ok bool) {
	ops = slices.DeleteFunc(drawHistory(t), func(op history.Op) bool { return op.F == history.Read || op.F == history.Write })
	var grants []int
	for i, op := range numbered(ops) {
		if op.F == history.Acquire && op.Type == history.OK {
			grants = append(grants, i)
		}
	}
	if len(grants) == 0 {
		return ops, 0, false
	}
	return ops, rapid.SampledFrom(grants).Draw(t, "grant"), true
}

// TestAShorterHoldOverlapsNoMore lets one hold begin later, or end earlier, with all other lines where they were.
func TestAShorterHoldOverlapsNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops, line, ok := drawHolds(t)
		if !ok {
			return
		}
		before := check(t, ops, Options{}).Counts.Overlap
		own := []int{line} // the lines of its process, from the grant on
		for i := line + 1; i < len(ops); i++ {
			if ops[i].Process == ops[line].Process {
				own = append(own, i)
			}
		}
		at := rapid.IntRange(0, len(own)-1).Draw(t, "line")
		from, until := ops[own[at]].Time, ops[own[at]].Time // no later than its process has lines: that would be a longer life
		if at+1 < len(own) {
			until = ops[own[at+1]].Time
		}
		moved := rapid.Int64Range(from, until).Draw(t, "time")
		shorter := slices.Clone(ops)
		if at == 0 && rapid.Bool().Draw(t, "begins later") {
			shorter[line].Time = moved
		} else {
			op := ops[line]
			op.F, op.Time, op.Token = history.Abandon, moved, history.Uint{}
			shorter = slices.Insert(shorter, own[at]+1, op)
		}
		if after := check(t, numbered(shorter), Options{}).Counts.Overlap; after > before {
			t.Fatalf("%d overlaps became %d\n%s\nshorter\n%s", before, after, text(ops), text(shorter))
		}
	})
}

// TestAGrantLessIsNoWorse refuses one acquire that was granted.
func TestAGrantLessIsNoWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops, line, ok := drawHolds(t)
		if !ok {
			return
		}
		before := check(t, ops, Options{}).Counts
		refused := ops[line]
		less := slices.DeleteFunc(slices.Clone(ops), func(op history.Op) bool {
			return op.Process == refused.Process && op.Grant == refused.Grant && op.F != history.Acquire
		})
		for i := range less {
			if op := &less[i]; op.Index == refused.Index {
				op.Type, op.Token = history.Fail, history.Uint{}
			}
		}
		after := check(t, numbered(less), Options{}).Counts
		if after.Overlap > before.Overlap || after.TokenRegression > before.TokenRegression || after.Grants != before.Grants-1 {
			t.Fatalf("%+v became %+v\n%s\nwithout grant %d of process %d\n%s", before, after, text(ops), refused.Grant, refused.Process, text(less))
		}
	})
}
