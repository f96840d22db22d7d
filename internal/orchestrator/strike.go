package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/history"
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
	held   *hold  // nil: nothing needed a holder so far

	timed sync.WaitGroup // faults that are healed before the phase ends
	mu    sync.Mutex
	force []*injection // in the order in which they struck
	errs  []error
}

// injection is one fault in force.
type injection struct {
	step  *Step
	value string // what the history calls it
	began int64
	undo  func(context.Context) error
	once  sync.Once
	err   error
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
		missed, err := s.await(ctx, f)
		if err == nil && missed == nil {
			missed, err = s.strike(ctx, i, n, f)
		}
		if err != nil || missed != nil {
			return missed, err
		}
	}
	return nil, nil
}

// order lists the indexes of the faults that strike: in a drawn phase those that have a meaning here, drawn.
func (s *strikes) order() []int {
	var usable, order []int
	for i, f := range s.phase.Faults {
		if applies(f, s.test) == nil {
			usable = append(usable, i)
		}
	}
	if s.phase.Draw == 0 || len(usable) == 0 {
		return usable
	}
	for _, step := range s.replay {
		order = append(order, step.Index)
	}
	for len(order) < s.phase.Draw && len(s.replay) == 0 {
		order = append(order, usable[s.random.IntN(len(usable))])
	}
	return order
}

// await waits for the moment at which f strikes, and sees to the holder if it needs one.
func (s *strikes) await(ctx context.Context, f scenarios.Fault) (missed, err error) {
	if f.When.Event != "" && f.When.Event != scenarios.Recovered || needsHolder(f) {
		if missed, err := s.hold(ctx, f.Point); err != nil || missed != nil {
			return missed, err
		}
	}
	came := true
	switch f.When.Event {
	case scenarios.Rival:
		came, err = s.held.rival(ctx)
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
	return slices.ContainsFunc(append([]string{f.Target}, f.Peers...), func(role string) bool {
		return slices.Contains([]faults.Role{faults.Holder, faults.Waiter, faults.Waiters}, faults.Role(role))
	})
}

// hold makes a client hold the lock, unless one does already.
func (s *strikes) hold(ctx context.Context, stop string) (missed, err error) {
	if s.held != nil {
		return nil, nil
	}
	t := s.test
	host := t.clients[s.random.IntN(len(t.clients))]
	wanted := s.phase.Holder
	if len(s.replay) > 0 {
		wanted = s.replay[len(s.replay)-1].Holder
	}
	for _, h := range t.clients {
		if h.name == wanted {
			host = h
		}
	}
	if s.held, err = t.hold(ctx, host, stop); err == nil && s.held == nil {
		missed = fmt.Errorf("no client was granted the lock within %v, so there was no holder to strike", t.bound())
	}
	return missed, err
}

// strike injects the n-th fault of the phase, which is the i-th to strike. A fault that cannot be injected leaves the
// history to say so, and the verdict unknown.
func (s *strikes) strike(ctx context.Context, i, n int, f scenarios.Fault) (missed, err error) {
	t := s.test
	fault, strike, err := aim(f)
	if err != nil {
		return nil, err
	}
	strike.Rand = rng.Stream(t.run.cfg.Seed, "strike "+t.meta.Name+" "+s.phase.Name, i)
	if i < len(s.replay) {
		strike.Hosts, strike.Peers = s.replay[i].Hosts, s.replay[i].Peers
	} else if strike.Hosts, strike.Peers, err = strike.Target.Resolve(ctx, t, s.random); err != nil {
		return fmt.Errorf("%s did not strike the %s: %w", f.Name, f.Target, err), nil
	}
	step := &Step{
		Phase: s.phase.Name, Index: n, Fault: f.Name, Target: f.Target, Direction: f.Direction,
		Hosts: strike.Hosts, Peers: strike.Peers, At: time.Duration(t.clock.Now()),
	}
	if s.held != nil {
		step.Holder = s.held.host.name
	}
	in := &injection{step: step, value: s.describe(strike), began: t.clock.Now()}
	if err := t.log(history.Invoke, f.Name, in.value, nil); err != nil {
		return nil, err
	}
	if in.undo, err = fault.Inject(ctx, t, strike); err != nil {
		err = fmt.Errorf("inject %s (%s): %w", f.Name, in.value, err)
		if ctx.Err() != nil {
			return nil, err
		}
		return err, t.log(history.Info, f.Name, in.value, err)
	}
	t.addStep(step)
	s.add(in)
	if err := t.log(history.OK, f.Name, in.value, nil); err != nil {
		return nil, err
	}
	if f.For != nil {
		s.timed.Go(func() { s.healAfter(ctx, in, f.For.Of(t.ttl())) })
	}
	return nil, nil
}

// describe is what the history calls a strike; two in force at once have different names, for a heal to tell which it
// undoes.
func (s *strikes) describe(strike faults.Strike) string {
	value := string(strike.Target.Role)
	if hosts := strings.Join(strike.Hosts, ","); hosts != value {
		value += ": " + hosts
	}
	if strike.Peers != nil {
		value += " from " + strings.Join(strike.Peers, ",")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := value
	for n := 2; slices.ContainsFunc(s.force, func(in *injection) bool { return in.value == name }); n++ {
		name = fmt.Sprintf("%s (%d)", value, n)
	}
	return name
}

func (s *strikes) add(in *injection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.force = append(s.force, in)
}

// healAfter heals a fault that ends before its phase: once it has lasted, and acquires enough to prove something were
// attempted meanwhile.
func (s *strikes) healAfter(ctx context.Context, in *injection, lasts time.Duration) {
	err := sleep(ctx, lasts)
	if err == nil {
		err = s.test.awaitAttempts(ctx, in.began)
	}
	err = errors.Join(err, s.heal(ctx, in))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

// outlast waits until the faults have lasted as long as they must, until as many acquires were attempted as it takes to
// prove anything and, if a holder of a lease was struck, until a rival's request has reached the resource; or until the
// bound has passed.
func (s *strikes) outlast(ctx context.Context) error {
	t := s.test
	began := t.clock.Now()
	rival := make(chan error, 1)
	if s.held != nil && t.live.driver.Info.Lease {
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

// end heals whatever is in force, the newest first. A holder that can still act writes before, across what struck it.
func (s *strikes) end(ctx context.Context) error {
	s.timed.Wait()
	var errs []error
	frozen := s.held != nil && s.held.host.standsStill()
	if s.held != nil && !frozen {
		errs = append(errs, s.held.end(ctx))
	}
	for _, in := range slices.Backward(s.force) {
		errs = append(errs, s.heal(ctx, in))
	}
	if frozen {
		errs = append(errs, s.held.end(ctx))
	}
	return errors.Join(append(errs, s.errs...)...)
}

// heal undoes a fault once, also when the run is being interrupted.
func (s *strikes) heal(ctx context.Context, in *injection) error {
	in.once.Do(func() {
		t := s.test
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.bound()+healTimeout)
		defer cancel()
		logged := t.log(history.Invoke, history.Heal, in.value, nil) // what cannot be recorded must be healed all the same
		if err := in.undo(ctx); err != nil {
			err = fmt.Errorf("%w: %s (%s): %w", errHeal, in.step.Fault, in.value, err)
			in.err = errors.Join(err, logged, t.log(history.Info, history.Heal, in.value, err))
			return
		}
		t.healed(in.step)
		in.err = errors.Join(logged, t.log(history.OK, history.Heal, in.value, nil))
	})
	return in.err
}

// healTimeout is what the start of a server may take, beside what a lock may.
const healTimeout = 30 * time.Second
