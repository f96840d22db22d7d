package history

import (
	"testing"

	"pgregory.net/rapid"
)

// TestMerge draws streams that are nearly in order, as clocks and early stamps leave them.
func TestMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var streams [][]Op
		total := 0
		for s := range rapid.IntRange(0, 6).Draw(t, "streams") {
			var ops []Op
			for i, at := range rapid.SliceOfN(rapid.Int64Range(0, 9), 0, 12).Draw(t, "times") {
				ops = append(ops, Op{Time: at + int64(i), Process: int64(s), Grant: int64(i + 1)})
			}
			streams = append(streams, ops)
			total += len(ops)
		}
		merged := Merge(streams...)
		if len(merged) != total {
			t.Fatalf("%d ops, want %d", len(merged), total)
		}
		next := make([]int, len(streams))
		for i, op := range merged {
			s := int(op.Process)
			if op.Index != int64(i) || op.Grant != int64(next[s]+1) || op.Time != streams[s][next[s]].Time {
				t.Fatalf("op %d is %+v, want op %d of stream %d", i, op, next[s], s)
			}
			for other, ops := range streams {
				if n := next[other]; n < len(ops) && (ops[n].Time < op.Time || ops[n].Time == op.Time && other < s) {
					t.Fatalf("op %d is %+v, but stream %d had %+v", i, op, other, ops[n])
				}
			}
			next[s]++
		}
	})
}
