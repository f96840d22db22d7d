package measure

import "time"

// Contention is how a lock is shared and handed on in the phases without a fault in which more than one worker asks
// for it. The zero value is nothing measured.
type Contention struct {
	// Reason says why there is nothing; empty: there is.
	Reason string
	// Workers are those that asked.
	Workers int
	// Grants is how many acquires were granted in the phase in which they were invoked, NotGranted how many ended
	// otherwise there. Those that are pending at its end are neither.
	Grants, NotGranted int
	// Luckiest and Unluckiest are the shares of the grants, 0 to 1, of the workers that got the most and the fewest.
	Luckiest, Unluckiest float64
	// Idle is how long nobody held the lock while somebody was waiting, LongestIdle the longest of these times, and
	// Watched how long all of this was watched: every lock by itself, from the phase's first grant to its end.
	Idle, LongestIdle, Watched time.Duration
}

// sum completes the shares; grants is how many each worker got.
func (c *Contention) sum(grants map[int64]int) {
	if c.Workers = len(grants); c.Workers == 0 {
		*c = Contention{Reason: noContention}
		return
	}
	most, least := 0, c.Grants
	for _, n := range grants {
		most, least = max(most, n), min(least, n)
	}
	if c.Grants > 0 {
		c.Luckiest, c.Unluckiest = float64(most)/float64(c.Grants), float64(least)/float64(c.Grants)
	}
}

// Merge adds what another test of the same driver measured. Shares are those of the test that was the least fair.
func (c *Contention) Merge(o Contention) {
	switch {
	case o.Workers == 0:
		if c.Workers == 0 && c.Reason == "" {
			c.Reason = o.Reason
		}
		return
	case c.Workers == 0:
		c.Reason, c.Unluckiest = "", o.Unluckiest
	}
	c.Workers = max(c.Workers, o.Workers)
	c.Grants += o.Grants
	c.NotGranted += o.NotGranted
	c.Luckiest, c.Unluckiest = max(c.Luckiest, o.Luckiest), min(c.Unluckiest, o.Unluckiest)
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
