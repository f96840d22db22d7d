package measure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// Deadlocks are the cycles in the wait-for graph of a history: each of their processes has an acquire pending for a
// lock that the next one holds. The zero value is nothing measured.
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

// deadlockWatch finds the cycles while the lines go by. A cycle is always closed by an invoke: what its processes
// hold, they held before they asked for more. One invoke closes one cycle at most, or one of those that differ in who
// else holds a lock, where two do.
type deadlockWatch struct {
	Deadlocks
	waitGraph
	// unexplained are the acquires whose end will say why a cycle ended.
	unexplained map[*checker.Hold]int
}

func newDeadlockWatch() *deadlockWatch {
	return &deadlockWatch{
		Deadlocks: Deadlocks{Measured: true, Lasted: Latency{Reason: "there was no deadlock"}},
		waitGraph: waitGraph{
			holders: map[string]map[*history.Process]int{}, holds: map[*history.Process]int{}, pending: map[*history.Process]*checker.Hold{},
		},
		unexplained: map[*checker.Hold]int{},
	}
}

// take takes the next change; those at the same time come in the order of their lines, and then what no line tells, a
// death. An acquire that the history does not see end is never answered.
func (d *deadlockWatch) take(e checker.HoldEvent, now int64) error {
	switch e.What {
	case checker.Asked:
		d.pending[e.Process] = e.Hold
		if members := d.cycle(e.Hold); members != nil {
			d.Count++
			d.cycles = append(d.cycles, cycle{now, members})
		}
	case checker.Answered:
		delete(d.pending, e.Process)
		if n := d.unexplained[e.Hold]; n > 0 {
			err := errorOf(e.Hold)
			if saysTimeOut(err) {
				err = "" // that came later and is not why
			}
			d.ended(err, n)
			delete(d.unexplained, e.Hold)
		}
		if err := d.end(e.Hold, now); err != nil {
			return fmt.Errorf("measure the deadlocks: %w", err)
		}
		if e.Held {
			d.hold(e.Hold, 1)
		}
	case checker.Ended:
		d.hold(e.Hold, -1)
	case checker.FellSilent:
	}
	return nil
}

func (d *deadlockWatch) finish() Deadlocks {
	for _, n := range d.unexplained {
		d.ended("", n)
	}
	d.Open = len(d.cycles)
	return d.Deadlocks
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

// end takes the cycles away that end with an acquire, and counts how. If it was granted, its lock was taken from the
// one who held it, whose own end will say why: a server that ends the holder's acquire and its transaction may serve
// the next before the holder has heard of it.
func (d *deadlockWatch) end(h *checker.Hold, now int64) error {
	var open []cycle
	for _, c := range d.cycles {
		i := slices.Index(c.acquires, h)
		if i < 0 {
			open = append(open, c)
			continue
		}
		if err := d.Lasted.Record(now - c.begin); err != nil {
			return err
		}
		if h.Held {
			d.unexplained[c.acquires[(i+1)%len(c.acquires)]]++
		} else {
			d.ended(errorOf(h), 1)
		}
	}
	d.cycles = open
	return nil
}

// ended counts cycles that ended with an error, in lower case.
func (d *deadlockWatch) ended(why string, n int) {
	switch {
	case strings.Contains(why, "deadlock"), strings.Contains(why, "40p01"):
		d.Server += n
	case saysTimeOut(why):
		d.TimedOut += n
	default:
		d.Otherwise += n
	}
}

// errorOf is the error of an acquire that was answered, in lower case; empty: it had none, or a death ended it.
func errorOf(h *checker.Hold) string {
	if !h.Return.Exists() || h.Return.Time != h.Answered {
		return ""
	}
	return strings.ToLower(h.Error)
}

// saysTimeOut reports whether an error, in lower case, is that of a time-out: the worker's own, or the one that it
// had the server keep.
func saysTimeOut(err string) bool {
	for _, words := range []string{"deadline exceeded", "timeout", "time-out", "timed out"} {
		if strings.Contains(err, words) {
			return true
		}
	}
	return false
}

// Merge adds what another test of the same driver measured.
func (d *Deadlocks) Merge(o Deadlocks) {
	d.Measured = d.Measured || o.Measured
	d.Count += o.Count
	d.Server += o.Server
	d.TimedOut += o.TimedOut
	d.Otherwise += o.Otherwise
	d.Open += o.Open
	d.Lasted.Merge(o.Lasted)
	if d.Reason == "" {
		d.Reason = o.Reason
	}
}
