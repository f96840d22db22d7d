package links

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Shape says how a fault slows what travels in a flow. Shapes combine: delays add up, and the lowest rate, the smallest
// size and the longest gap count.
type Shape struct {
	// Delay is called for each chunk and for the end of a connection, by many connections at once; nil: no delay. The
	// order of bytes is kept.
	Delay func() time.Duration
	// Closing delays the end of a connection, and not its data.
	Closing time.Duration
	// Rate is how many bytes per second pass, on all connections together; 0: no limit.
	Rate int64
	// Size is the greatest number of bytes in one piece; 0: no limit. Gap is the shortest time between two pieces of a
	// connection.
	Size int
	Gap  time.Duration
}

// Fixed is a Shape that delays everything by d.
func Fixed(d time.Duration) Shape { return Shape{Delay: func() time.Duration { return d }} }

// shaping is a shape in force on one flow.
type shaping struct {
	Shape
	over atomic.Bool // healed: it delays nothing any more
	free time.Time   // when all that was given a place has passed at its rate; the shaper's mu guards it
}

// shaper slows one flow.
type shaper struct {
	mu     sync.Mutex
	active []*shaping
	healed chan struct{} // closed when a shaping ends
}

// chunk is what was read at once from a sender, or the end of its stream.
type chunk struct {
	data   []byte
	end    bool
	read   time.Time
	delays []delay
}

// delay is by how much a shaping delays a chunk.
type delay struct {
	by *shaping
	d  time.Duration
}

// slot is until when a shaping holds a piece of a chunk back.
type slot struct {
	by    *shaping
	until time.Time
}

// add begins to slow the flow: what comes from now on, not what is under way. end lets all that it still holds back go.
func (s *shaper) add(sh Shape) (end func()) {
	mine := &shaping{Shape: sh}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active = append(s.active, mine)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.active = slices.DeleteFunc(s.active, func(other *shaping) bool { return other == mine })
		mine.over.Store(true)
		close(s.healed)
		s.healed = make(chan struct{})
	}
}

// slows reports whether any shaping is in force.
func (s *shaper) slows() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.active) > 0
}

// delays draws the delays of a chunk that comes now, or of the end of a stream; nil: the flow is not slowed at all.
func (s *shaper) delays(end bool) []delay {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []delay
	for _, sh := range s.active {
		d := delay{by: sh}
		if sh.Delay != nil {
			d.d = sh.Delay()
		}
		if end {
			d.d += sh.Closing
		}
		all = append(all, d)
	}
	return all
}

// due is when the shapings that are still in force let the chunk go.
func (c *chunk) due() time.Time {
	at := c.read
	for _, d := range c.delays {
		if !d.by.over.Load() {
			at = at.Add(d.d)
		}
	}
	return at
}

// piece says how many of n bytes go next, and gives them a place on the line. The piece before was sent then.
func (s *shaper) piece(n int, before time.Time) (int, []slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range s.active {
		if sh.Size > 0 {
			n = min(n, sh.Size)
		}
		if sh.Rate > 0 { // a tenth of a second's worth: it shall trickle, not come in bursts
			n = int(min(int64(n), max(1, sh.Rate/10)))
		}
	}
	var slots []slot
	now := time.Now()
	for _, sh := range s.active {
		if sh.Rate > 0 {
			if sh.free.Before(now) {
				sh.free = now
			}
			sh.free = sh.free.Add(time.Duration(float64(n) / float64(sh.Rate) * float64(time.Second)))
			slots = append(slots, slot{sh, sh.free})
		}
		slots = append(slots, slot{sh, before.Add(sh.Gap)})
	}
	return n, slots
}

// latest is when the shapings that are still in force let a piece go.
func latest(slots []slot) (at time.Time) {
	for _, s := range slots {
		if !s.by.over.Load() && s.until.After(at) {
			at = s.until
		}
	}
	return at
}

// timerSlack is by how much Go's timers are late at most on an idle machine: they count in milliseconds.
const timerSlack = 2 * time.Millisecond

// sleep waits until the time that at names; it is asked again whenever a shaping ends. stop ends the wait.
func (s *shaper) sleep(at func() time.Time, stop <-chan struct{}) {
	for {
		s.mu.Lock()
		healed := s.healed
		s.mu.Unlock()
		left := time.Until(at())
		if left <= 0 {
			return
		}
		if left <= timerSlack {
			select {
			case <-stop:
				return
			default:
				nap(left)
				continue
			}
		}
		timer := time.NewTimer(left - timerSlack)
		select {
		case <-timer.C:
		case <-healed:
		case <-stop:
			timer.Stop()
			return
		}
		timer.Stop()
	}
}
