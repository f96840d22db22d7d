package checker

import (
	"container/heap"
	"fmt"

	"github.com/lockbench/lockbench/checker/history"
)

// windows are how many lines are put into the order of their times before they are judged: first none, as lockbench
// writes its histories in that order; then enough for recorders that flush at different times; at last as many as fit
// into 2 GB.
func windows() []int { return []int{0, 1 << 16, 1 << 22} }

// window puts lines into the order of their times that are out of it by no more than its size. The lines of a
// process, and those of the resource, must be in order among themselves, and stay in it.
type window struct {
	size     int
	lines    waitingLines
	last     map[int64]history.Stamp // of each process
	resource int64                   // the time that the newest line of the resource is ordered by
}

// waitingLine is a line that is ordered by a time, and at equal times by its number.
type waitingLine struct {
	time int64
	at   history.Stamp
	op   history.Op
}

func newWindow(size int) *window { return &window{size: size, last: map[int64]history.Stamp{}} }

// put takes a line. Its error is a *history.LineError: the process's lines are not in order.
func (w *window) put(at history.Stamp, op *history.Op) error {
	time := at.Time
	if op.Type == history.Apply || op.Type == history.Reject {
		time = max(time, w.resource)
		w.resource = time
	} else {
		if last := w.last[op.Process]; at.Time < last.Time {
			return &history.LineError{Line: at.Line, Err: fmt.Errorf("time %d goes back; process %d was at %d on line %d", at.Time, op.Process, last.Time, last.Line)}
		}
		w.last[op.Process] = at
	}
	heap.Push(&w.lines, &waitingLine{time, at, *op})
	return nil
}

// take takes out the next line, if there are more than the window holds.
func (w *window) take() (*waitingLine, bool) {
	if len(w.lines) <= w.size {
		return nil, false
	}
	return heap.Pop(&w.lines).(*waitingLine), true
}

type waitingLines []*waitingLine

func (l waitingLines) Len() int { return len(l) }

func (l waitingLines) Less(i, j int) bool {
	return l[i].time < l[j].time || l[i].time == l[j].time && l[i].at.Line < l[j].at.Line
}

func (l waitingLines) Swap(i, j int) { l[i], l[j] = l[j], l[i] }

// Push and Pop implement heap.Interface.
func (l *waitingLines) Push(x any) { *l = append(*l, x.(*waitingLine)) }

// Pop removes the last line.
func (l *waitingLines) Pop() any {
	last := len(*l) - 1
	x := (*l)[last]
	(*l)[last] = nil
	*l = (*l)[:last]
	return x
}
