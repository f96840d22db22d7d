package plan

import (
	"errors"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/scenarios"
)

// Flags are the flags of `lockbench run` that say what to run.
type Flags struct {
	Scenario, Sweep, Hold, Fencing, Lost, Resource string
	Drivers                                        []string
	Seed                                           uint64
	Clients, Workers, Rounds                       int
	TTL, Duration                                  time.Duration
	Rate                                           float64
	// Changed reports whether the flag of that name was given. The value of one that was not means nothing.
	Changed func(flag string) bool
}

// maxRounds keeps a slip of the finger from running for weeks.
const maxRounds = 1000

// RoundsWanted says what --rounds takes.
func RoundsWanted() string { return fmt.Sprintf("a number from 1 to %d", maxRounds) }

// CheckReplay refuses flags that a schedule excludes.
func (f Flags) CheckReplay() error {
	for _, flag := range []string{
		"scenario", "sweep", "driver", "seed", "clients", "workers", "fencing", "lost", "resource", "ttl", "hold", "rate", "duration",
	} {
		if f.Changed(flag) {
			return fmt.Errorf("--schedule and --%s exclude each other: the schedule says what runs, under which load and faults", flag)
		}
	}
	if f.Changed("rounds") {
		return errors.New("--schedule and --rounds exclude each other: a replay is the same every time")
	}
	return nil
}

// override puts the values of the flags that were given in the place of the scenario's.
func (f Flags) override(s *scenarios.Scenario) (err error) {
	w := &s.Workload
	set := func(flag string, do func() error) {
		if err == nil && f.Changed(flag) {
			if e := do(); e != nil {
				err = fmt.Errorf("--%s: %w", flag, e)
			}
		}
	}
	set("clients", func() error { w.Clients = f.Clients; return nil })
	set("workers", func() error { w.Workers = f.Workers; return nil })
	set("ttl", func() error { w.TTL = scenarios.Duration(f.TTL); return nil })
	set("hold", func() (e error) { w.Hold, e = scenarios.ParseRange(f.Hold); return e })
	set("fencing", func() (e error) { w.Fencing, e = scenarios.ParseFencing(f.Fencing); return e })
	set("lost", func() (e error) { w.Lost, e = scenarios.ParseLost(f.Lost); return e })
	set("resource", func() (e error) { w.Resource, e = scenarios.ParseResource(f.Resource); return e })
	set("rate", func() error {
		if f.Rate == 0 {
			return errors.New("0 is no rate: leave it out for a closed loop")
		}
		w.Rate = f.Rate
		return nil
	})
	set("duration", func() error {
		if f.Duration <= 0 || f.Duration > scenarios.MaxTime {
			return fmt.Errorf("%v is not above 0 and at most %v", f.Duration, scenarios.MaxTime)
		}
		for i := range s.Phases {
			if len(s.Phases[i].Faults) == 0 {
				s.Phases[i].For = scenarios.Span{Fixed: f.Duration}
			}
		}
		return nil
	})
	return err
}
