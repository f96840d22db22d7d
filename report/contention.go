package report

import (
	"time"

	"github.com/lockbench/lockbench/checker"
)

// Contention is how a lock is shared and handed on in the phases without a fault in which more than one worker asks
// for it. The zero value is nothing measured.
type Contention struct {
	// Reason says why there is nothing; empty: there is.
	Reason string
	// Workers are those that asked.
	Workers int
	// Grants is how many acquires were granted in the phase in which they were invoked, NotGranted how many ended otherwise
	// there. Those that are pending at its end are neither.
	Grants, NotGranted int
	// Luckiest and Unluckiest are the shares of the grants, 0 to 1, of the workers that got the most and the fewest.
	Luckiest, Unluckiest float64
	// HandOff is the time from the end of a hold, at which somebody was waiting already, to the return of the next grant.
	HandOff Latency
	// Idle is how long nobody held the lock while somebody was waiting, LongestIdle the longest of these times, and
	// Watched how long all of this was watched: every lock by itself, from the phase's first grant to its end.
	Idle, LongestIdle, Watched time.Duration
}

const noContention = "there is no phase without a fault in which more than one worker asks for a lock"

// contention measures the phases. all are the acquires of the history; workers is how many workers there are, 0 if
// nobody knows: then each process counts as one.
func contention(phases []PhaseMeasure, all []checker.Hold, workers int64) (Contention, error) {
	c := Contention{HandOff: Latency{Reason: "nobody was waiting when a hold ended"}}
	grants := map[int64]int{} // by worker
	locks := byLock(all)
	for i := range phases {
		p := &phases[i]
		if p.Struck() {
			continue
		}
		for _, lock := range locks {
			if err := c.add(lock, p, workers, grants); err != nil {
				return c, err
			}
		}
	}
	if c.Workers = len(grants); c.Workers == 0 {
		return Contention{Reason: noContention}, nil
	}
	most, least := 0, c.Grants
	for _, n := range grants {
		most, least = max(most, n), min(least, n)
	}
	if c.Grants > 0 {
		c.Luckiest, c.Unluckiest = float64(most)/float64(c.Grants), float64(least)/float64(c.Grants)
	}
	return c, nil
}

// add measures one lock in one phase, if more than one worker asks for it.
func (c *Contention) add(lock []checker.Hold, p *PhaseMeasure, workers int64, grants map[int64]int) error {
	asked := map[int64]int{} // grants of each worker that asked
	first, inVain := p.End, 0
	for _, h := range lock {
		if h.Held && h.Answered >= p.Begin {
			first = min(first, h.Answered)
		}
		if h.Invoke.Time < p.Begin || h.Invoke.Time >= p.End {
			continue
		}
		granted := 0
		switch {
		case h.Answered >= p.End || h.Unanswered:
		case h.Held:
			granted = 1
		default:
			inVain++
		}
		asked[worker(h, workers)] += granted
	}
	if len(asked) < 2 {
		return nil
	}
	for w, n := range asked {
		grants[w] += n
		c.Grants += n
	}
	c.NotGranted += inVain
	// What comes before the first grant is the start of the workers' sessions.
	return c.handOffs(stretches(lock, first, p.End))
}

// worker is who made an acquire. A worker that goes on under a new process number adds the number of all workers.
func worker(h checker.Hold, workers int64) int64 {
	if workers > 0 {
		return h.Process.N % workers
	}
	return h.Process.N
}

// handOffs goes through the time of one lock in one phase.
func (c *Contention) handOffs(all []stretch) error {
	ended := int64(never) // when the last hold ended, at which somebody was waiting
	var idle time.Duration
	for i, s := range all {
		c.Watched += time.Duration(s.to - s.from)
		switch {
		case s.holders > 0:
			if ended != never {
				if err := c.HandOff.record(s.from - ended); err != nil {
					return err
				}
			}
			ended, idle = never, 0
			continue
		case i > 0 && all[i-1].holders > 0 && s.waiters > 0:
			ended = s.from
		}
		if s.waiters == 0 {
			idle = 0
			continue
		}
		idle += time.Duration(s.to - s.from)
		c.Idle += time.Duration(s.to - s.from)
		c.LongestIdle = max(c.LongestIdle, idle)
	}
	return nil
}

// merge adds what another test of the same driver measured. Shares are those of the test that was the least fair.
func (c *Contention) merge(o Contention) {
	switch {
	case o.Workers == 0:
		if c.Workers == 0 && c.Reason == "" {
			c.Reason = o.Reason
		}
		return
	case c.Workers == 0:
		c.Reason, c.Unluckiest, c.HandOff.Reason = "", o.Unluckiest, o.HandOff.Reason
	}
	c.Workers = max(c.Workers, o.Workers)
	c.Grants += o.Grants
	c.NotGranted += o.NotGranted
	c.Luckiest, c.Unluckiest = max(c.Luckiest, o.Luckiest), min(c.Unluckiest, o.Unluckiest)
	c.HandOff.merge(o.HandOff)
	c.Idle, c.Watched = c.Idle+o.Idle, c.Watched+o.Watched
	c.LongestIdle = max(c.LongestIdle, o.LongestIdle)
}

// IdleShare is the part of the time, 0 to 1, in which nobody held a lock that somebody was waiting for.
func (c *Contention) IdleShare() float64 {
	if c.Watched == 0 {
		return 0
	}
	return float64(c.Idle) / float64(c.Watched)
}
