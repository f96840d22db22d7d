package checker

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// corruption makes a well-formed history malformed.
type corruption struct {
	name string
	// fits says whether it can spoil the line i.
	fits func(ops []history.Op, i int) bool
	// spoil returns the history, and the index of the line that must be named.
	spoil func(ops []history.Op, i int) ([]history.Op, int)
}

// earlier is the line of the same process before the line i, or -1.
func earlier(ops []history.Op, i int) int {
	for j := i - 1; j >= 0; j-- {
		if ops[j].Process == ops[i].Process && isWorkerLine(ops[j]) {
			return j
		}
	}
	return -1
}

// end is the line that ends the call of the line i, or len(ops).
func end(ops []history.Op, i int) int {
	for j := i + 1; j < len(ops); j++ {
		a, b := &ops[i], &ops[j]
		if a.Process == b.Process && a.F == b.F && a.Grant == b.Grant && a.Request == b.Request && isWorkerLine(*b) && b.Type != history.Invoke {
			return j
		}
	}
	return len(ops)
}

func isEnd(op history.Op) bool {
	return isWorkerLine(op) && op.Type != history.Invoke && op.F != history.Lost && op.F != history.Abandon
}

// lastSequenced is the last number in the resource's order, or 0.
func lastSequenced(ops []history.Op) (seq uint64) {
	for _, op := range ops {
		seq = max(seq, op.Seq)
	}
	return seq
}

func isSequenced(op history.Op) bool { return op.Type == history.Apply || op.Type == history.Reject }

// changed is a corruption that changes one line, which then is the wrong one.
func changed(name string, fits func([]history.Op, int) bool, change func(*history.Op)) corruption {
	return corruption{name, fits, func(ops []history.Op, i int) ([]history.Op, int) {
		change(&ops[i])
		return ops, i
	}}
}

// repeated is a corruption that writes a line twice; the second is the wrong one.
func repeated(name string, fits func(op history.Op) bool) corruption {
	return corruption{name, func(ops []history.Op, i int) bool { return fits(ops[i]) }, func(ops []history.Op, i int) ([]history.Op, int) {
		return slices.Insert(ops, i+1, ops[i]), i + 1
	}}
}

func corruptions() []corruption {
	worker := func(ops []history.Op, i int) bool { return isWorkerLine(ops[i]) }
	goesOn := func(ops []history.Op, i int) bool { return isWorkerLine(ops[i]) && earlier(ops, i) >= 0 }
	sequenced := func(ops []history.Op, i int) bool { return isSequenced(ops[i]) }
	return []corruption{
		{"an end without an invoke",
			func(ops []history.Op, i int) bool {
				return isWorkerLine(ops[i]) && ops[i].F == history.Acquire && ops[i].Type == history.Invoke && end(ops, i) < len(ops)
			},
			func(ops []history.Op, i int) ([]history.Op, int) {
				at := end(ops, i) - 1
				return slices.Delete(ops, i, i+1), at
			}},
		changed("time goes back", goesOn, func(op *history.Op) { op.Time = 1 }),
		changed("a negative time", worker, func(op *history.Op) { op.Time = -1 }),
		changed("a process of two clients", goesOn, func(op *history.Op) { op.Client = "nobody" }),
		changed("no client", worker, func(op *history.Op) { op.Client = "" }),
		changed("an index twice", func(_ []history.Op, i int) bool { return i > 0 }, func(op *history.Op) { op.Index-- }),
		changed("an unknown type", worker, func(op *history.Op) { op.Type = "done" }),
		changed("an unknown function", worker, func(op *history.Op) { op.F = "lock" }),
		changed("no lock", worker, func(op *history.Op) { op.Lock = "" }),
		changed("no grant", worker, func(op *history.Op) { op.Grant = 0 }),
		changed("a grant that was never asked for", func(ops []history.Op, i int) bool { return isEnd(ops[i]) }, func(op *history.Op) { op.Grant += 1000 }),
		changed("another lock's end", func(ops []history.Op, i int) bool { return isEnd(ops[i]) }, func(op *history.Op) { op.Lock += "x" }),
		changed("no seq", sequenced, func(op *history.Op) { op.Seq = 0 }),
		changed("a version that skips one", func(ops []history.Op, i int) bool { return ops[i].Type == history.Apply },
			func(op *history.Op) { op.Version.V++ }),
		changed("a sequenced request that was never made", sequenced, func(op *history.Op) { op.Request += 1000 }),
		repeated("two calls at once", func(op history.Op) bool { return isWorkerLine(op) && op.Type == history.Invoke }),
		repeated("two ends of a call", isEnd),
		repeated("a request that is sequenced twice", isSequenced),
		{"a seq twice",
			func(ops []history.Op, i int) bool { return isSequenced(ops[i]) && lastSequenced(ops[:i]) > 0 },
			func(ops []history.Op, i int) ([]history.Op, int) {
				ops[i].Seq = lastSequenced(ops[:i])
				return ops, i
			}},
	}
}

// TestMalformedHistoryIsRefused corrupts histories in every way, and wants the very line named and nothing judged.
func TestMalformedHistoryIsRefused(t *testing.T) {
	all := corruptions()
	found, total := map[string]int{}, 0
	rapid.Check(t, func(t *rapid.T) {
		ops := drawHistory(t)
		total++
		for _, c := range all {
			var fit []int
			for i := range ops {
				if c.fits(ops, i) {
					fit = append(fit, i)
				}
			}
			if len(fit) == 0 {
				continue
			}
			found[c.name]++
			wrong, at := c.spoil(slices.Clone(ops), rapid.SampledFrom(fit).Draw(t, c.name))
			if c.name != "an index twice" {
				wrong = numbered(wrong)
			}
			r, err := Check(wrong, Options{})
			var line *history.LineError
			if !errors.As(err, &line) || line.Line != at+1 || !reflect.DeepEqual(r, Result{}) {
				t.Fatalf("%s: got %+v, %v; want line %d\n%s", c.name, r, err, at+1, text(wrong))
			}
		}
	})
	for _, c := range all {
		if found[c.name] < total/20 {
			t.Errorf("%s: only in %d of %d histories", c.name, found[c.name], total)
		}
	}
}
