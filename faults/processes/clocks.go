package processes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ClockSkewer is a Process whose wall clock can be moved. Its monotonic clock cannot.
type ClockSkewer interface {
	// SkewClock makes the wall clock of the process, and of all that belong to it, show the true time plus offset,
	// from now on and after every start. 0 makes it true again. A process that does not run only remembers.
	SkewClock(offset time.Duration) error
}

// Skew is what one fault adds to the clocks of some hosts. Its offset can change while it lasts. Safe for concurrent
// use.
type Skew struct {
	of    *Processes
	hosts []string

	mu     sync.Mutex
	offset time.Duration
	healed bool
}

// Skew adds offset to the wall clocks of the hosts: a clock shows the true time plus what all faults on it add. After
// an error nothing is added.
func (p *Processes) Skew(hosts []string, offset time.Duration) (*Skew, error) {
	s := &Skew{of: p, hosts: slices.Compact(slices.Sorted(slices.Values(hosts)))}
	if err := s.Set(offset); err != nil {
		return nil, errors.Join(err, s.Heal(context.Background()))
	}
	return s, nil
}

// Set changes what the fault adds. After an error some of the clocks may have been moved; Heal undoes that too. After
// Heal it does nothing.
func (s *Skew) Set(offset time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.healed {
		return nil
	}
	return s.move(offset)
}

// Heal makes the fault add nothing, for good. It is idempotent, and after an error it can be called again.
func (s *Skew) Heal(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.healed = true
	return s.move(0)
}

// move has s.mu.
func (s *Skew) move(offset time.Duration) error {
	s.offset = offset
	return each(len(s.hosts), func(i int) error {
		if err := s.of.skew(s.hosts[i], s, offset); err != nil {
			return fmt.Errorf("move the clock of %s by %v: %w", s.hosts[i], offset, err)
		}
		return nil
	})
}

// skew notes what the fault by adds to the host's clock, and moves the clock.
func (p *Processes) skew(name string, by *Skew, offset time.Duration) error {
	process, err := p.Process(name)
	if err != nil {
		return err
	}
	clock, ok := process.(ClockSkewer)
	if !ok {
		return errors.New("it has no clock of its own")
	}
	h := p.held(name)
	h.mu.Lock()
	defer h.mu.Unlock()
	if offset == 0 {
		delete(h.skews, by)
	} else {
		h.skews[by] = offset
	}
	if want := h.offset(); want != h.skewed {
		if err := clock.SkewClock(want); err != nil {
			return err
		}
		h.skewed = want
	}
	return nil
}

// offset is what the faults on the host add to its clock.
func (h *held) offset() (sum time.Duration) {
	for _, offset := range h.skews {
		sum += offset
	}
	return sum
}
