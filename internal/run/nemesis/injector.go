package nemesis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/internal/run/clients"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// recoveredGrants is how many new grants must reach the resource before a heal counts as recovered, unless the scenario
// requires fewer. The first may have been under way, or granted to a client that the fault never touched.
const recoveredGrants = 3

// injector injects the faults of one phase, and heals them.
type injector struct {
	*Nemesis
	phase  scenarios.Phase
	random *rand.Rand
	replay []Step // of the faults, if a schedule is replayed

	holdMu sync.Mutex
	held   *hold // nil: nothing needed a holder so far

	timed   sync.WaitGroup // faults that are healed before the phase ends
	forceMu sync.Mutex
	force   []*injection // in the order in which they were injected
	errs    []error
}

// Disturb injects the phase's faults one after another, waits until they have shown their effect, heals them and
// waits for recovery. late is not nil when an event did not come within its bound, or a fault was not injected: a
// finding, not a failure.
func (n *Nemesis) Disturb(ctx context.Context, p scenarios.Phase) (late, err error) {
	need := n.cfg.Scenario.Require.Grants
	came, err := n.cfg.Watch.AwaitGrants(ctx, n.cfg.Watch.GrantsSeen(), need, anyGrant)
	if err != nil {
		return nil, err
	}
	if !came {
		late = n.fewer(need, "before the fault")
	}
	s := &injector{
		Nemesis: n, phase: p, random: rng.Stream(n.cfg.Seed, "fault "+n.cfg.Test+" "+p.Name, 0), replay: n.stepsOf(p.Name),
	}
	missed, err := s.all(ctx)
	if err == nil && missed == nil {
		err = s.outlast(ctx)
	}
	err = errors.Join(err, s.end(ctx))
	late = errors.Join(late, missed)
	if err != nil {
		return late, err
	}
	came, err = n.cfg.Watch.AwaitGrants(ctx, n.cfg.Watch.GrantsSeen(), n.recovery(), anyGrant)
	if err == nil && !came {
		late = errors.Join(late, fmt.Errorf("not recovered within %v after the heal", n.cfg.Watch.Bound()))
	}
	return late, err
}

// all injects every fault in its turn. missed says why one could not.
func (s *injector) all(ctx context.Context) (missed, err error) {
	for i, f := range s.order() {
		not, err := s.await(ctx, i, f)
		switch {
		case err != nil:
		case not != nil:
			err = s.miss(f, not)
		default:
			not, err = s.inject(ctx, i, f)
		}
		missed = errors.Join(missed, not)
		if err != nil || not != nil && s.phase.Draw == 0 { // one that is drawn needs none before it
			return missed, err
		}
	}
	return missed, nil
}

// order lists the faults to inject: all of a schedule that is replayed; else those that have a meaning here, or as many
// of them as are drawn.
func (s *injector) order() []scenarios.Fault {
	if s.cfg.Replay != nil {
		return s.phase.Faults
	}
	usable := slices.DeleteFunc(slices.Clone(s.phase.Faults), func(f scenarios.Fault) bool {
		return plan.Applies(f, s.Target(), s.ttl()) != nil
	})
	if s.phase.Draw == 0 || len(usable) == 0 {
		return usable
	}
	var order []scenarios.Fault
	for len(order) < s.phase.Draw {
		order = append(order, usable[s.random.IntN(len(usable))])
	}
	return order
}

// await waits for the moment at which f is injected, as the i-th, and sees to the holder if it needs one.
func (s *injector) await(ctx context.Context, i int, f scenarios.Fault) (missed, err error) {
	if f.When.Event != "" && f.When.Event != scenarios.Recovered || needsHolder(f) {
		if missed, err := s.hold(ctx, i, f.Settings[faults.PointSetting]); err != nil || missed != nil {
			return missed, err
		}
	}
	came := true
	switch f.When.Event {
	case scenarios.Rival:
		came, err = s.holder().rival(ctx)
	case scenarios.Recovered:
		came, err = s.cfg.Watch.AwaitGrants(ctx, s.cfg.Watch.GrantsSeen(), s.recovery(), anyGrant)
	}
	if err != nil {
		return nil, err
	}
	if !came {
		return fmt.Errorf("%s was not injected: it waited in vain for %q for %v", f.Name, f.When.Event, s.cfg.Watch.Bound()), nil
	}
	return nil, sleep(ctx, f.When.After.Of(s.ttl()))
}

// needsHolder reports whether a fault hits who holds the lock, or who does not.
func needsHolder(f scenarios.Fault) bool {
	return f.HolderGoesOn || slices.ContainsFunc(append([]string{f.Target}, f.Peers...), func(role string) bool {
		return slices.Contains([]faults.Role{faults.Holder, faults.Waiter, faults.Waiters}, faults.Role(role))
	})
}

// hold makes a client hold the lock, unless one does already.
func (s *injector) hold(ctx context.Context, i int, stop string) (missed, err error) {
	s.holdMu.Lock()
	defer s.holdMu.Unlock()
	if s.held != nil {
		return nil, nil
	}
	wanted := ""
	for k := i; k < len(s.replay) && wanted == ""; k++ {
		wanted = s.replay[k].Holder
	}
	if wanted == "" {
		wanted = s.phase.Holder
	}
	able := slices.DeleteFunc(slices.Clone(s.cfg.Clients()), func(c *clients.Client) bool { return c.StandsStill() })
	if len(able) == 0 {
		return errors.New("no client could be made to hold the lock: all stand still"), nil
	}
	asked := []*clients.Client{able[s.random.IntN(len(able))]}
	for i, h := range able {
		if h.Name() == wanted {
			asked = able[i : i+1]
		}
	}
	if wanted == scenarios.AnyHolder {
		asked = able
	}
	s.held, err = s.makeHolder(ctx, asked, stop)
	if err == nil && s.held == nil {
		missed = fmt.Errorf("no client was granted the lock within %v, so there was no holder to hit", s.cfg.Watch.Bound())
	}
	return missed, err
}

func (s *injector) holder() *hold {
	s.holdMu.Lock()
	defer s.holdMu.Unlock()
	return s.held
}

// release heals a fault and ends the hold with it: where faults are drawn, the next one finds a new holder.
func (s *injector) release(ctx context.Context, in *injection) error {
	s.holdMu.Lock()
	defer s.holdMu.Unlock()
	if s.held != in.hold {
		return s.heal(ctx, in)
	}
	err := s.endHold(ctx, func() error { return s.heal(ctx, in) })
	s.held = nil
	return err
}

// endHold lets the holder write while the faults are in force, and then heals. If it cannot act before the heal, it
// heals first.
func (s *injector) endHold(ctx context.Context, heal func() error) error {
	if s.held == nil {
		return heal()
	}
	if s.held.StandsStill() {
		return errors.Join(heal(), s.held.end(ctx))
	}
	return errors.Join(s.held.end(ctx), heal())
}

// outlast waits until the faults have lasted as long as they must, until as many acquires were attempted as it takes to
// prove anything and, where the phase lasts until then, until a rival's request has reached the resource; or until the
// bound has passed.
func (s *injector) outlast(ctx context.Context) error {
	asked := s.cfg.Watch.AttemptsFromNow()
	defer asked.Stop()
	rival := make(chan error, 1)
	if s.held != nil && s.phase.Until == scenarios.Rival && s.canLose() {
		go func() {
			_, err := s.held.rival(ctx)
			rival <- err
		}()
	} else {
		rival <- nil
	}
	if err := errors.Join(sleep(ctx, s.phase.For.Of(s.ttl())), <-rival); err != nil {
		return err
	}
	return asked.Await(ctx)
}

// canLose reports whether the faults can take the lock from its holder. One without a lease stays with a client that is
// cut off or stands still, until that goes on.
func (s *injector) canLose() bool {
	return s.cfg.Lease || slices.ContainsFunc(s.phase.Faults, func(f scenarios.Fault) bool {
		return f.HolderGoesOn || f.Target != string(faults.Holder) || plan.HasTrait(f, faults.TakesLock)
	})
}

// end heals whatever is in force, the newest first. A holder that can still act writes before the heal.
func (s *injector) end(ctx context.Context) error {
	s.timed.Wait()
	err := s.endHold(ctx, func() error {
		var errs []error
		for _, in := range slices.Backward(s.force) {
			errs = append(errs, s.heal(ctx, in))
		}
		return errors.Join(errs...)
	})
	return errors.Join(append(s.errs, err)...)
}
