// Package roundtrips measures how many times an acquire waits for its servers, one after another: it makes every
// round trip longer by the same time, and sees by how many times that an acquire takes longer.
//
// To count what crosses the links would not tell. gRPC's pings look like turns and nobody waits for them; five servers
// that are asked at once look like five that are asked in turn as soon as the first answers before the last is asked.
package roundtrips

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lockbench/lockbench/drivers"
)

const (
	// lock is what is asked for: it must be nobody else's.
	lock = "round-trips"
	// pairs is how many acquires are timed with the delay, and as many without: the median forgives a few.
	pairs = 9
	// tries is how often as many more are timed while the median tells no whole number of round trips.
	tries = 5
	// doubt is by how many round trips the figure may be off a whole number.
	doubt = 0.3
)

// Config says what to measure.
type Config struct {
	Driver  drivers.Driver
	Addrs   []string
	Options drivers.Options
	// Delay is by how much each round trip is made longer: far more than an acquire's time varies by.
	Delay time.Duration
	// Longer makes each round trip to one of Addrs longer by that much until heal is called, which may be called twice.
	Longer func(by time.Duration) (heal func(), err error)
}

// Found is what was measured.
type Found struct {
	// N is Longer in whole Delays.
	N int
	// Acquires is how many were timed with the delay, each against one without.
	Acquires int
	// Delay is by how much every round trip was made longer, Longer by how much an acquire then took longer: the
	// median.
	Delay, Longer time.Duration
}

// Measure asks for a lock that nobody else wants, in a session of its own; it takes some ten delays for each round
// trip of an acquire and a release. An error says why there is no figure: nothing was granted, or the times do not
// tell one number of round trips from the next.
func Measure(ctx context.Context, cfg Config) (found Found, err error) {
	locker, err := cfg.Driver.Open(ctx, cfg.Addrs, cfg.Options)
	if err != nil {
		return found, fmt.Errorf("open a session to count round trips: %w", err)
	}
	defer func() { _ = locker.Close() }()         // the figure stands whatever becomes of the session
	if _, err := timed(ctx, locker); err != nil { // the first one may make what later ones find
		return found, err
	}
	var longer []time.Duration
	for {
		for range pairs {
			d, err := pair(ctx, cfg, locker)
			if err != nil {
				return found, err
			}
			longer = append(longer, d)
		}
		slices.Sort(longer)
		found, err := count(Found{Acquires: len(longer), Delay: cfg.Delay, Longer: longer[len(longer)/2]})
		if err == nil || len(longer) >= tries*pairs {
			return found, err
		}
	}
}

// pair returns by how much an acquire with the delay takes longer than the one right after it without: so a machine
// that is busy is so for both.
func pair(ctx context.Context, cfg Config, locker drivers.Locker) (time.Duration, error) {
	heal, err := cfg.Longer(cfg.Delay)
	if err != nil {
		return 0, err
	}
	defer heal()
	delayed, err := timed(ctx, locker)
	if err != nil {
		return 0, err
	}
	heal()
	plain, err := timed(ctx, locker)
	return delayed - plain, err
}

// timed takes and releases the lock, and says how long the acquire took.
func timed(ctx context.Context, locker drivers.Locker) (time.Duration, error) {
	began := time.Now()
	lease, err := locker.Acquire(ctx, lock)
	if err != nil {
		return 0, fmt.Errorf("acquire to count round trips: %w", err)
	}
	took := time.Since(began)
	if err := lease.Release(ctx); err != nil {
		return 0, fmt.Errorf("release after counting round trips: %w", err)
	}
	return took, nil
}

// count tells the round trips from the times.
func count(r Found) (Found, error) {
	trips := float64(r.Longer) / float64(r.Delay)
	r.N = int(math.Round(trips))
	if math.Abs(trips-float64(r.N)) > doubt || r.N < 0 {
		return Found{}, fmt.Errorf("count round trips: an acquire takes %v longer if each takes %v longer (median of %d), which makes no whole number: the machine is too busy",
			r.Longer, r.Delay, r.Acquires)
	}
	return r, nil
}
