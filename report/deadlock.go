package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
)

// Deadlocks are the cycles in the wait-for graph of a history: each of their processes has an acquire pending for a lock
// that the next one holds. The zero value is nothing measured.
type Deadlocks struct {
	Measured bool
	Reason   string // why nothing was measured
	// Count is how many there were.
	Count int
	// Server of them ended because the server said so to one of the waiting, TimedOut because the time-out of one of
	// the waiting passed. Otherwise ended in another way: one was granted the lock all the same, or was killed. Open
	// are those that the history does not see end.
	Server, TimedOut, Otherwise, Open int
	// Lasted is the time from the invoke that closed a cycle to the first end of an acquire in it.
	Lasted Latency
}

// cycle is one deadlock.
type cycle struct {
	begin int64
	// acquires are those that are pending in it.
	acquires []*checker.Hold
}

// waitGraph is who holds and who waits at one moment.
type waitGraph struct {
	holders map[string]map[*history.Process]int // of each lock, with the number of their holds
	holds   map[*history.Process]int
	pending map[*history.Process]*checker.Hold
	cycles  []cycle // that are not over
}

// deadlocks finds the cycles. A cycle is always closed by an invoke: what its processes hold, they held before they asked
// for more. One invoke closes one cycle at most, or one of those that differ in who else holds a lock, where two do.
func deadlocks(ops []history.Op, all []checker.Hold) (Deadlocks, error) {
	d := Deadlocks{Measured: true, Lasted: Latency{Reason: "there was no deadlock"}}
	g := waitGraph{
		holders: map[string]map[*history.Process]int{}, holds: map[*history.Process]int{}, pending: map[*history.Process]*checker.Hold{},
	}
	for _, e := range waitEvents(all) {
		switch e.what {
		case asks:
			g.pending[e.Process] = e.Hold
			if members := g.cycle(e.Hold); members != nil {
				d.Count++
				g.cycles = append(g.cycles, cycle{e.at.Time, members})
			}
		case isAnswered:
			delete(g.pending, e.Process)
			if err := d.end(&g, e, ops); err != nil {
				return d, err
			}
			if e.Held {
				g.hold(e.Hold, 1)
			}
		case letsGo:
			g.hold(e.Hold, -1)
		}
	}
	d.Open = len(g.cycles)
	return d, nil
}

type waitEventKind int

const (
	letsGo waitEventKind = iota
	isAnswered
	asks
)

// waitEvent is a moment at which the wait-for graph changes.
type waitEvent struct {
	*checker.Hold
	at   history.Stamp
	what waitEventKind
}

// waitEvents lists the moments in their order. At equal times the lines tell it; what no line tells, a death, goes last. An
// acquire that the history does not see end is never answered.
func waitEvents(all []checker.Hold) []waitEvent {
	var events []waitEvent
	for i := range all {
		h := &all[i]
		events = append(events, waitEvent{h, h.Invoke, asks})
		answered := history.Stamp{Time: h.Answered, Line: never}
		if h.Return.Exists() && h.Return.Time == h.Answered {
			answered = h.Return
		}
		if !h.Unanswered {
			events = append(events, waitEvent{h, answered, isAnswered})
		}
		if h.Held {
			end := history.Stamp{Time: h.End, Line: never}
			for _, s := range []history.Stamp{h.Release, h.Abandon} {
				if s.Exists() && s.Time == h.End {
					end.Line = min(end.Line, s.Line)
				}
			}
			events = append(events, waitEvent{h, end, letsGo})
		}
	}
	slices.SortStableFunc(events, func(a, b waitEvent) int {
		return cmp.Or(cmp.Compare(a.at.Time, b.at.Time), cmp.Compare(a.at.Line, b.at.Line))
	})
	return events
}

func (g *waitGraph) hold(h *checker.Hold, n int) {
	if g.holders[h.Lock] == nil {
		g.holders[h.Lock] = map[*history.Process]int{}
	}
	g.holders[h.Lock][h.Process] += n
	if g.holders[h.Lock][h.Process] == 0 {
		delete(g.holders[h.Lock], h.Process)
	}
	if g.holds[h.Process] += n; g.holds[h.Process] == 0 {
		delete(g.holds, h.Process)
	}
}

// cycle returns the pending acquires of a cycle that goes through h, or nil.
func (g *waitGraph) cycle(h *checker.Hold) []*checker.Hold {
	if g.holds[h.Process] == 0 {
		return nil // nobody waits for who holds nothing
	}
	seen := map[*history.Process]bool{h.Process: true}
	var path []*checker.Hold
	var walk func(*checker.Hold) bool
	walk = func(from *checker.Hold) bool {
		path = append(path, from)
		for p := range g.holders[from.Lock] {
			if p == h.Process && len(path) > 1 {
				return true
			}
			next := g.pending[p]
			if seen[p] || next == nil {
				continue
			}
			seen[p] = true
			if walk(next) {
				return true
			}
		}
		path = path[:len(path)-1]
		return false
	}
	if !walk(h) {
		return nil
	}
	return path
}

// end takes the cycles away that end with an acquire, and counts how.
func (d *Deadlocks) end(g *waitGraph, e waitEvent, ops []history.Op) error {
	var open []cycle
	for _, c := range g.cycles {
		if !slices.Contains(c.acquires, e.Hold) {
			open = append(open, c)
			continue
		}
		if err := d.Lasted.record(e.at.Time - c.begin); err != nil {
			return err
		}
		why := c.why(e.Hold, ops)
		switch {
		case strings.Contains(why, "deadlock"), strings.Contains(why, "40p01"):
			d.Server++
		case saysTimeOut(why):
			d.TimedOut++
		default:
			d.Otherwise++
		}
	}
	g.cycles = open
	return nil
}

// why is the error, in lower case, with which the acquire ended that ended the cycle. If it was granted, its lock was taken from
// the one who held it: a server that ends the holder's acquire and its transaction may serve the next before the holder has
// heard of it.
func (c cycle) why(ended *checker.Hold, ops []history.Op) string {
	if ended.Held {
		i := slices.Index(c.acquires, ended)
		ended = c.acquires[(i+1)%len(c.acquires)]
		if err := errorOf(ended, ops); !saysTimeOut(err) {
			return err
		}
		return "" // that came later and is not why
	}
	return errorOf(ended, ops)
}

// errorOf is the error of an acquire, in lower case; empty: it had none, or a death ended it.
func errorOf(h *checker.Hold, ops []history.Op) string {
	if !h.Return.Exists() || h.Return.Time != h.Answered {
		return ""
	}
	return strings.ToLower(ops[h.Return.Line-1].Error)
}

// saysTimeOut reports whether an error, in lower case, is that of a time-out: the worker's own, or the one that it had the
// server keep.
func saysTimeOut(err string) bool {
	for _, words := range []string{"deadline exceeded", "timeout", "time-out", "timed out"} {
		if strings.Contains(err, words) {
			return true
		}
	}
	return false
}

// merge adds what another test of the same driver measured.
func (d *Deadlocks) merge(o Deadlocks) {
	d.Measured = d.Measured || o.Measured
	d.Count += o.Count
	d.Server += o.Server
	d.TimedOut += o.TimedOut
	d.Otherwise += o.Otherwise
	d.Open += o.Open
	d.Lasted.merge(o.Lasted)
	if d.Reason == "" {
		d.Reason = o.Reason
	}
}
