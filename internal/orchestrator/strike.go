package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/scenarios"
)

// recoveredGrants is how many new grants must reach the resource before a heal counts as recovered, unless the scenario
// requires fewer. The first may have been under way, or granted to a client that the fault never touched.
const recoveredGrants = 3

// errHeal marks that a fault could not be undone: the cluster is not what it was, and must not be used again.
var errHeal = errors.New("a fault could not be healed")

// strikes are the faults of one phase while they are in force.
type strikes struct {
	test   *test
	phase  scenarios.Phase
	random *rand.Rand
	replay []Step // what to repeat; empty: everything is drawn

	holdMu sync.Mutex
	held   *hold // nil: nothing needed a holder so far

	timed sync.WaitGroup // faults that are healed before the phase ends
	mu    sync.Mutex
	force []*injection // in the order in which they struck
	errs  []error
}

// disturbed lets the phase's faults strike one after another, waits until they have shown their effect, heals them and
// waits for recovery. late is not nil when an event did not come within its bound, or a fault did not strike: a
// finding, not a failure.
func (t *test) disturbed(ctx context.Context, p scenarios.Phase) (late, err error) {
	need := t.run.scenario.Require.Grants
	came, err := t.awaitGrants(ctx, t.grantsSeen(), need, anyGrant)
	if err != nil {
		return nil, err
	}
	if !came {
		late = fmt.Errorf("fewer than %d grants within %v before the fault", need, t.bound())
	}
	s := &strikes{
		test: t, phase: p, random: rng.Stream(t.run.cfg.Seed, "fault "+t.meta.Name+" "+p.Name, 0), replay: t.replayed(p.Name),
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
	came, err = t.awaitGrants(ctx, t.grantsSeen(), t.recovery(), anyGrant)
	if err == nil && !came {
		late = errors.Join(late, fmt.Errorf("not recovered within %v after the heal", t.bound()))
	}
	return late, err
}

func (t *test) recovery() int { return min(recoveredGrants, t.run.scenario.Require.Grants) }

// all lets every fault strike in its turn. missed says why one could not.
func (s *strikes) all(ctx context.Context) (missed, err error) {
	for i, n := range s.order() {
		f := s.phase.Faults[n]
		not, err := s.await(ctx, i, f)
		if err == nil && not == nil {
			not, err = s.strike(ctx, i, n, f)
		}
		missed = errors.Join(missed, not)
		if err != nil || not != nil && s.phase.Draw == 0 { // one that is drawn needs none before it
			return missed, err
		}
	}
	return missed, nil
}

// order lists the indexes of the faults that strike: those that struck before, where a run is repeated; else those that
// have a meaning here, or as many of them as are drawn.
func (s *strikes) order() []int {
	var usable, order []int
	for _, step := range s.replay {
		order = append(order, step.Index)
	}
	if len(order) > 0 {
		return order
	}
	for i, f := range s.phase.Faults {
		if applies(f, s.test, s.test.ttl()) == nil {
			usable = append(usable, i)
		}
	}
	if s.phase.Draw == 0 || len(usable) == 0 {
		return usable
	}
	for len(order) < s.phase.Draw {
		order = append(order, usable[s.random.IntN(len(usable))])
	}
	return order
}

// await waits for the moment at which f strikes as the i-th, and sees to the holder if it needs one.
func (s *strikes) await(ctx context.Context, i int, f scenarios.Fault) (missed, err error) {
	if f.When.Event != "" && f.When.Event != scenarios.Recovered || needsHolder(f) {
		if missed, err := s.hold(ctx, i, f.Point); err != nil || missed != nil {
			return missed, err
		}
	}
	came := true
	switch f.When.Event {
	case scenarios.Rival:
		came, err = s.holder().rival(ctx)
	case scenarios.Recovered:
		came, err = s.test.awaitGrants(ctx, s.test.grantsSeen(), s.test.recovery(), anyGrant)
	}
	if err != nil {
		return nil, err
	}
	if !came {
		return fmt.Errorf("%s did not strike: it waited in vain for %q for %v", f.Name, f.When.Event, s.test.bound()), nil
	}
	return nil, sleep(ctx, f.When.After.Of(s.test.ttl()))
}

// needsHolder reports whether a fault is aimed at who holds the lock, or who does not.
func needsHolder(f scenarios.Fault) bool {
	return f.HolderGoesOn || slices.ContainsFunc(append([]string{f.Target}, f.Peers...), func(role string) bool {
		return slices.Contains([]faults.Role{faults.Holder, faults.Waiter, faults.Waiters}, faults.Role(role))
	})
}

// hold makes a client hold the lock, unless one does already.
func (s *strikes) hold(ctx context.Context, i int, stop string) (missed, err error) {
	s.holdMu.Lock()
	defer s.holdMu.Unlock()
	if s.held != nil {
		return nil, nil
	}
	t := s.test
	wanted := ""
	for k := i; k < len(s.replay) && wanted == ""; k++ {
		wanted = s.replay[k].Holder
	}
	if wanted == "" {
		wanted = s.phase.Holder
	}
	able := slices.DeleteFunc(slices.Clone(t.clients), func(h *clientHost) bool { return h.standsStill() })
	if len(able) == 0 {
		return errors.New("no client could be made to hold the lock: all stand still"), nil
	}
	asked := []*clientHost{able[s.random.IntN(len(able))]}
	for i, h := range able {
		if h.name == wanted {
			asked = able[i : i+1]
		}
	}
	if wanted == scenarios.AnyHolder {
		asked = able
	}
	s.held, err = t.hold(ctx, asked, stop)
	if err == nil && s.held == nil {
		missed = fmt.Errorf("no client was granted the lock within %v, so there was no holder to strike", t.bound())
	}
	return missed, err
}

func (s *strikes) holder() *hold {
	s.holdMu.Lock()
	defer s.holdMu.Unlock()
	return s.held
}

// release heals a fault and ends the hold with it: where faults are drawn, the next one finds a new holder.
func (s *strikes) release(ctx context.Context, in *injection) error {
	s.holdMu.Lock()
	defer s.holdMu.Unlock()
	if s.held != in.hold {
		return s.heal(ctx, in)
	}
	err := s.endHold(ctx, func() error { return s.heal(ctx, in) })
	s.held = nil
	return err
}

// endHold lets the holder write across what struck it, and heals; or, if it cannot act before, the other way round.
func (s *strikes) endHold(ctx context.Context, heal func() error) error {
	if s.held == nil {
		return heal()
	}
	if s.held.host.standsStill() {
		return errors.Join(heal(), s.held.end(ctx))
	}
	return errors.Join(s.held.end(ctx), heal())
}

// outlast waits until the faults have lasted as long as they must, until as many acquires were attempted as it takes to
// prove anything and, where the phase lasts until then, until a rival's request has reached the resource; or until the
// bound has passed.
func (s *strikes) outlast(ctx context.Context) error {
	t := s.test
	began := t.clock.Now()
	rival := make(chan error, 1)
	if s.held != nil && s.phase.Until == scenarios.Rival && s.canLose() {
		go func() {
			_, err := s.held.rival(ctx)
			rival <- err
		}()
	} else {
		rival <- nil
	}
	if err := errors.Join(sleep(ctx, s.phase.For.Of(t.ttl())), <-rival); err != nil {
		return err
	}
	return t.awaitAttempts(ctx, began)
}

// canLose reports whether the faults can take the lock from its holder. One without a lease stays with a client that is
// cut off or stands still, until that goes on.
func (s *strikes) canLose() bool {
	return s.test.live.driver.Info.Lease || slices.ContainsFunc(s.phase.Faults, func(f scenarios.Fault) bool {
		return f.HolderGoesOn || f.Target != string(faults.Holder) || f.Name == faults.Crash{}.Info().Name
	})
}

// end heals whatever is in force, the newest first. A holder that can still act writes before, across what struck it.
func (s *strikes) end(ctx context.Context) error {
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
