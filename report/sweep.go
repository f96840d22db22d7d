package report

import (
	"cmp"
	"math"
	"slices"

	"github.com/lockbench/lockbench/checker"
)

// never is after every line of a history.
const never = math.MaxInt64

// byLock sorts the acquires of a history under their locks, in the order in which those were first asked for.
func byLock(all []checker.Hold) [][]checker.Hold {
	var locks [][]checker.Hold
	index := map[string]int{}
	for _, h := range all {
		i, ok := index[h.Lock]
		if !ok {
			i = len(locks)
			index[h.Lock], locks = i, append(locks, nil)
		}
		locks[i] = append(locks[i], h)
	}
	return locks
}

// stretch is a time in which the same number of holders and waiters have one lock.
type stretch struct {
	from, to         int64
	holders, waiters int
}

// stretches cuts the time from one moment to another into stretches: where the number of holders or waiters of the lock
// changes. Neighbours may have the same numbers.
func stretches(lock []checker.Hold, from, to int64) []stretch {
	type change struct {
		at               int64
		holders, waiters int
	}
	changes := make([]change, 0, 2*len(lock))
	add := func(begin, end int64, holders, waiters int) {
		if begin, end = max(begin, from), min(end, to); begin < end {
			changes = append(changes, change{begin, holders, waiters}, change{end, -holders, -waiters})
		}
	}
	for _, h := range lock {
		add(h.Invoke.Time, h.Answered, 0, 1)
		if h.Held {
			add(h.Answered, h.End, 1, 0)
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	all := make([]stretch, 0, len(changes))
	now := stretch{from: from}
	for _, c := range changes {
		if c.at > now.from {
			now.to = c.at
			all = append(all, now)
			now.from = c.at
		}
		now.holders, now.waiters = now.holders+c.holders, now.waiters+c.waiters
	}
	if now.from < to {
		now.to = to
		all = append(all, now)
	}
	return all
}
