package checker

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// drawHandover draws the history of a lock that goes from client to client, each a little before or after the one
// before it gave up, with writes that may be held back for long. Random steps hardly ever get that far.
func drawHandover(t *rapid.T) []history.Op {
	g := &generator{t: t, tokens: draw(&generator{t: t}, "none", "rising", "rising", "any", "mixed")}
	fenced := g.oneIn(3)
	var ops []history.Op
	at := int64(100)
	busy := map[int64]int64{} // when a process has written its last line
	asked := map[int64]int64{}
	for process := range int64(2 + g.index(5)) {
		if process > 0 && busy[process-1] < at && g.oneIn(3) {
			process-- // the same worker again
		}
		asked[process]++
		inv := max(at-int64(g.index(4)), busy[process])
		ok := max(at, inv) + int64(g.index(3))
		sent := ok + int64(g.index(6))
		end := sent + int64(g.index(6))
		back := sent + int64(draw(g, 0, 1, 1, 2, 3, 5, 9, 14, 20)) // when the write is served
		base := history.Op{Client: fmt.Sprintf("c%d", process%3), Process: process, Lock: "l1", Grant: asked[process]}
		token := g.token()
		add := func(at int64, typ history.Type, f string, request int64) {
			op := base
			op.Time, op.Type, op.F, op.Request = at, typ, f, request
			if f == history.Acquire && typ == history.OK || request > 0 {
				op.Token = token
			}
			ops = append(ops, op)
		}
		add(inv, history.Invoke, history.Acquire, 0)
		add(ok, history.OK, history.Acquire, 0)
		if g.oneIn(2) {
			add(ok, history.Invoke, history.Read, 1)
			add(ok, history.Apply, history.Read, 1)
			add(ok, history.OK, history.Read, 1)
		}
		add(sent, history.Invoke, history.Write, 2)
		switch {
		case back <= end: // answered in time
			add(back, history.Apply, history.Write, 2)
			add(back, history.OK, history.Write, 2)
			add(end, history.Invoke, history.Release, 0)
			add(end, history.OK, history.Release, 0)
			busy[process] = end
		default:
			add(end, history.Info, history.Write, 2)
			add(end, history.OK, history.Abandon, 0)
			add(back, history.Apply, history.Write, 2)
			busy[process] = 1 << 40 // it is not used again
		}
		if g.oneIn(6) {
			ops = append(ops, history.Op{Time: sent + int64(g.index(3)), Client: base.Client, Process: history.NemesisProcess, Type: history.Invoke, F: history.Kill})
		}
		at = max(at, end+int64(g.index(7))-2)
	}
	return settle(ops, fenced)
}

// settle sorts the lines by time and lets the resource take its lines in that order.
func settle(ops []history.Op, fenced bool) []history.Op {
	slices.SortStableFunc(ops, func(a, b history.Op) int { return int(a.Time - b.Time) })
	var seq, version, fence uint64
	refused := map[[3]int64]bool{}
	for i := range ops {
		op := &ops[i]
		op.Index = int64(i)
		id := [3]int64{op.Process, op.Grant, op.Request}
		switch {
		case op.F == history.Write && op.Type == history.Invoke:
			op.Base = history.Some(version)
		case op.Type == history.Apply:
			seq++
			op.Seq = seq
			if fenced && (!op.Token.Set || op.Token.V < fence) {
				op.Type, refused[id] = history.Reject, true
				continue
			}
			fence = max(fence, op.Token.V)
			if op.F == history.Write {
				version++
			}
			op.Version = history.Some(version)
		case op.Type == history.OK && refused[id]:
			op.Type = history.Fail
		}
	}
	return ops
}

func TestLateWritesAgainstTheDefinitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { compare(t, drawHandover(t), 3) })
}
