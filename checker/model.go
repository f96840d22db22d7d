package checker

import (
	"cmp"
	"math"
	"slices"

	"github.com/lockbench/lockbench/internal/history"
)

// never is after every line.
const never = math.MaxInt64

// grant is an acquire that returned ok, with its hold.
type grant struct {
	*history.Grant
	// killed is when its client was killed, or never.
	killed int64
	// end is when its hold ended. It is not after Return for a client that was killed before: that grant was never held.
	end int64
	// overlapped is true if its hold overlapped another, whichever began first.
	overlapped bool
}

// request is one that reached the resource.
type request struct {
	*history.Request
	grant *grant
}

// lock is all that happened with one lock.
type lock struct {
	name string
	// attempts are its acquires, granted or not, in the order of their invokes' lines.
	attempts []*history.Grant
	// grants are in the order in which their acquires returned.
	grants []*grant
	// requests are in the resource's order.
	requests []request
	overlaps []overlapping
}

// model is a history sorted by lock.
type model struct {
	history *history.History
	locks   []*lock // in the order of their first lines
	grants  []*grant
	// begin and end are the first and the last time of the history.
	begin, end int64
	faults     []*fault
}

func newModel(h *history.History) *model {
	m := &model{history: h, grants: make([]*grant, len(h.Grants)), begin: never}
	for i := range h.Ops {
		m.begin, m.end = min(m.begin, h.Ops[i].Time), max(m.end, h.Ops[i].Time)
	}
	m.faults = findFaults(h)
	locks := map[string]*lock{}
	deaths := findDeaths(h)
	for _, hg := range h.Grants {
		l, ok := locks[hg.Lock]
		if !ok {
			l = &lock{name: hg.Lock}
			locks[hg.Lock] = l
			m.locks = append(m.locks, l)
		}
		l.attempts = append(l.attempts, hg)
		if hg.Outcome == history.OK {
			g := &grant{Grant: hg, killed: deaths[hg.Process].killed}
			g.end = g.holdEnd(deaths[hg.Process].last)
			l.grants = append(l.grants, g)
			m.grants[hg.Index] = g
		}
	}
	for _, r := range h.Sequenced {
		l := locks[r.Grant.Lock]
		l.requests = append(l.requests, request{Request: r, grant: m.grants[r.Grant.Index]})
	}
	for _, l := range m.locks {
		slices.SortFunc(l.grants, func(a, b *grant) int { return compareStamps(a.Return, b.Return) })
		l.overlaps = findOverlaps(l.grants)
	}
	return m
}

// compareStamps orders lines by time, and at equal times by number so that a sort has one outcome.
func compareStamps(a, b history.Stamp) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Line, b.Line))
}

// death is how long a process may have lived.
type death struct {
	// killed is when its client was killed while the process existed, or never.
	killed int64
	// last is the last line that shows its client alive; a kill that strikes it is one.
	last int64
}

// findDeaths says of each process how long it may have lived. A kill ends all processes of its client that existed at its
// stamp, and until then it lived. A client can also die of itself, which no line tells: what is certain is that it lived
// until its last line. A client that was started again under its old name has new processes, which begin after all the old
// ones have ended; so only processes that overlap in time, one with the next, vouch for each other.
func findDeaths(h *history.History) map[*history.Process]death {
	kills := map[string][]int64{}
	for _, i := range h.Nemesis {
		if op := &h.Ops[i]; op.F == history.Kill && op.Type == history.Invoke {
			kills[op.Client] = append(kills[op.Client], op.Time)
		}
	}
	clients := map[string][]*history.Process{}
	for _, p := range h.Processes {
		clients[p.Client] = append(clients[p.Client], p)
	}
	deaths := make(map[*history.Process]death, len(h.Processes))
	for client, processes := range clients {
		slices.SortFunc(processes, func(a, b *history.Process) int { return compareStamps(a.First, b.First) })
		for from := 0; from < len(processes); {
			last, to := processes[from].Last.Time, from+1
			for to < len(processes) && processes[to].First.Time <= last {
				last = max(last, processes[to].Last.Time)
				to++
			}
			next := int64(never) // when another life began
			if to < len(processes) {
				next = processes[to].First.Time
			}
			for _, p := range processes[from:to] {
				d := death{killed: firstFrom(kills[client], p.First.Time), last: last}
				if d.killed < next {
					d.last = max(last, d.killed)
				}
				deaths[p] = d
			}
			from = to
		}
	}
	return deaths
}

// firstFrom is the first of the rising times that is not before t, or never.
func firstFrom(times []int64, t int64) int64 {
	i, _ := slices.BinarySearch(times, t)
	if i == len(times) {
		return never
	}
	return times[i]
}

// holdEnd is when the hold ended. alive is the last line that shows the client alive.
func (g *grant) holdEnd(alive int64) int64 {
	if s := g.givenUp(); s.Exists() {
		return min(s.Time, g.killed)
	}
	return min(alive, g.killed)
}

// givenUp is the line by which the worker gave the grant up, the call of release or abandon, if there is one.
func (g *grant) givenUp() history.Stamp {
	if g.Abandon.Exists() && (!g.Release.Exists() || g.Abandon.Line < g.Release.Line) {
		return g.Abandon
	}
	return g.Release
}

// held reports whether there was a hold at all.
func (g *grant) held() bool { return g.Return.Time < g.killed }

// covers reports whether the line s, of g's own process and after the return of its acquire, stands before the end of
// its hold. Within a process lines are ordered; a kill at the same time may have come first.
func (g *grant) covers(s history.Stamp) bool {
	up := g.givenUp()
	return s.Time < g.killed && (!up.Exists() || s.Line < up.Line)
}

// before reports whether a's acquire had returned before b's was invoked. At equal times only a process's own lines are
// ordered.
func before(a, b *grant) bool {
	if a.Process == b.Process {
		return a.N < b.N
	}
	return a.Return.Time < b.Invoke.Time
}

// later reports whether b is a later grant than a: by time if one acquire had returned before the other was
// invoked, else by token if both have one. Time goes first because a server that lost its token counter would
// otherwise get its only true holder convicted.
func later(b, a *grant) bool {
	switch {
	case before(a, b):
		return true
	case before(b, a):
		return false
	default:
		return a.Token.Set && b.Token.Set && b.Token.V > a.Token.V
	}
}

// answered reports whether the worker learned how its request ended.
func (r request) answered() bool { return r.Outcome == history.OK || r.Outcome == history.Fail }
