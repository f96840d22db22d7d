package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/client"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/recorder"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/scenarios"
)

// recoveredGrants is how many new grants must reach the resource before a heal counts as recovered. The
// first may have been under way, or granted to a client that the fault never touched.
const recoveredGrants = 3

// phase runs one phase of the test and leaves its result in the test's meta data.
func (t *test) phase(ctx context.Context, p scenarios.Phase, meta *results.Phase) error {
	if meta.Status != results.NotRun || meta.Reason != "" {
		t.run.progress("%s: phase %s: %s: %s", t.meta.Name, p.Name, meta.Status, meta.Reason)
		return nil
	}
	t.run.progress("%s: phase %s", t.meta.Name, p.Name)
	if err := t.log(history.Invoke, history.Phase, p.Name, nil); err != nil {
		return err
	}
	for i, c := range t.clients {
		load := t.workload(p, i)
		if err := c.send(client.Command{Work: &load}); err != nil {
			return err
		}
	}
	var late, err error
	if p.Fault == nil {
		late, err = t.undisturbed(ctx, p)
	} else {
		late, err = t.strike(ctx, p)
	}
	switch {
	case err != nil:
		meta.Status, meta.Reason = results.Incomplete, err.Error()
		return errors.Join(err, t.log(history.Info, history.Phase, p.Name, err))
	case late != nil:
		meta.Status, meta.Reason = results.Complete, late.Error()
		t.meta.Notes = append(t.meta.Notes, fmt.Sprintf("phase %s: %v", p.Name, late))
		return t.log(history.Info, history.Phase, p.Name, late)
	default:
		meta.Status = results.Complete
		return t.log(history.OK, history.Phase, p.Name, nil)
	}
}

func (t *test) ttl() time.Duration { return time.Duration(t.run.scenario.Workload.TTL) }

// bound is the longest wait for anything that a lock is free not to do.
func (t *test) bound() time.Duration {
	return max(3*t.ttl(), t.ttl()+time.Duration(t.run.scenario.Require.Allowance)+time.Second)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// undisturbed lets the workers work for as long as the phase lasts, and then until there were as many grants as it
// takes to prove anything: a busy machine stretches that. late is not nil if they did not come within the bound.
func (t *test) undisturbed(ctx context.Context, p scenarios.Phase) (late, err error) {
	from := t.grantsSeen()
	if err := sleep(ctx, p.For.Of(t.ttl())); err != nil {
		return nil, err
	}
	need := t.run.scenario.Require.Grants
	came, err := t.awaitGrants(ctx, from, need, anyGrant)
	if err == nil && !came {
		late = fmt.Errorf("fewer than %d grants within %v", need, p.For.Of(t.ttl())+t.bound())
	}
	return late, err
}

// grantsSeen is how many grants the resource has seen.
func (t *test) grantsSeen() int {
	all, _ := t.resource.Grants(0)
	return len(all)
}

// awaitGrants waits for n grants that count among those that the resource sees from number next on. It reports whether
// they came within the bound.
func (t *test) awaitGrants(ctx context.Context, next, n int, counts func(resource.GrantSeen) bool) (bool, error) {
	timer := time.NewTimer(t.bound())
	defer timer.Stop()
	for n > 0 {
		fresh, more := t.resource.Grants(next)
		next += len(fresh)
		for _, g := range fresh {
			if counts(g) {
				n--
			}
		}
		if n <= 0 {
			break
		}
		select {
		case <-more:
		case <-timer.C:
			return false, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	return true, nil
}

func anyGrant(resource.GrantSeen) bool { return true }

// strike injects the phase's fault, waits until it has shown its effect, heals it and waits for recovery. late
// is not nil when an event did not come within its bound: a finding, not a failure.
func (t *test) strike(ctx context.Context, p scenarios.Phase) (late, err error) {
	came, err := t.awaitGrants(ctx, t.grantsSeen(), t.run.scenario.Require.Grants, anyGrant)
	if err != nil {
		return nil, err
	}
	if !came {
		late = fmt.Errorf("fewer than %d grants within %v before the fault", t.run.scenario.Require.Grants, t.bound())
	}
	random := rng.Stream(t.run.cfg.Seed, "fault "+t.meta.Name+" "+p.Name, 0)
	fault, strike, err := aim(p.Fault)
	if err != nil {
		return late, err
	}
	var held *hold
	if p.Fault.Target == "holder" {
		held, err = t.hold(ctx, t.clients[random.IntN(len(t.clients))])
		if err != nil {
			return late, err
		}
		if held == nil {
			return fmt.Errorf("no client was granted the lock within %v, so there was no holder to strike", t.bound()), nil
		}
		defer t.setHolder("")
	}
	strike.Rand = random
	name := fault.Info().Name
	strike.Hosts, strike.Peers, err = strike.Target.Resolve(ctx, t, random)
	if err != nil {
		return late, fmt.Errorf("aim %s at the %s: %w", name, p.Fault.Target, err)
	}
	value := fmt.Sprintf("%s: %s", p.Fault.Target, strings.Join(strike.Hosts, ","))
	if err := t.log(history.Invoke, name, value, nil); err != nil {
		return late, err
	}
	step := Step{Phase: p.Name, Fault: name, Target: p.Fault.Target, Direction: p.Fault.Direction, Hosts: strike.Hosts, At: time.Duration(t.clock.Now())}
	heal, err := fault.Inject(ctx, t, strike)
	if err != nil {
		return late, errors.Join(fmt.Errorf("inject %s: %w", name, err), t.log(history.Info, name, value, err))
	}
	waitErr := t.log(history.OK, name, value, nil)
	if waitErr == nil {
		waitErr = t.outlast(ctx, p, held)
	}
	if held != nil {
		waitErr = errors.Join(waitErr, held.end(ctx))
	}
	if err := t.heal(ctx, value, heal); err != nil {
		return late, errors.Join(waitErr, err)
	}
	step.Healed = time.Duration(t.clock.Now())
	t.steps = append(t.steps, step)
	if waitErr != nil {
		return late, waitErr
	}
	came, err = t.awaitGrants(ctx, t.grantsSeen(), recoveredGrants, anyGrant)
	if err == nil && !came {
		late = fmt.Errorf("not recovered within %v after the heal", t.bound())
	}
	return late, err
}

// outlast waits until the fault has lasted as long as it must, until as many acquires were attempted as it takes to
// prove anything and, if a holder of a lease was struck, until a rival's request has reached the resource; or until the
// bound has passed.
func (t *test) outlast(ctx context.Context, p scenarios.Phase, held *hold) error {
	began := t.clock.Now()
	rival := make(chan error, 1)
	if held != nil && t.live.driver.Info.Lease {
		go func() {
			_, err := t.awaitGrants(ctx, t.grantsSeen(), 1, func(g resource.GrantSeen) bool {
				return g.Lock == held.Lock && g.Process != held.Process
			})
			rival <- err
		}()
	} else {
		rival <- nil
	}
	if err := errors.Join(sleep(ctx, p.For.Of(t.ttl())), <-rival); err != nil {
		return err
	}
	return t.awaitAttempts(ctx, began)
}

// awaitAttempts waits for the acquires that must be attempted during a fault. Who waits for a lock that blocks asks
// again only when the acquire times out, and a busy machine stretches that. The clients' streams tell: nothing of
// an attempt that is refused reaches the resource.
func (t *test) awaitAttempts(ctx context.Context, began int64) error {
	for deadline := time.Now().Add(t.bound()); time.Now().Before(deadline); {
		n, err := t.attempts(began)
		if err != nil || n >= t.run.scenario.Require.Attempts {
			return err
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// attempts counts the acquires that were invoked since began.
func (t *test) attempts(began int64) (n int, err error) {
	streams, err := filepath.Glob(filepath.Join(t.streams, "c*.stream"))
	if err != nil {
		return 0, fmt.Errorf("find the clients' streams: %w", err)
	}
	for _, path := range streams {
		ops, _, err := recorder.Ops(path)
		if err != nil {
			return 0, err
		}
		for i := len(ops) - 1; i >= 0 && ops[i].Time >= began; i-- {
			if ops[i].F == history.Acquire && ops[i].Type == history.Invoke {
				n++
			}
		}
	}
	return n, nil
}

// heal undoes the fault, also when the run is being interrupted.
func (t *test) heal(ctx context.Context, value string, heal func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.bound())
	defer cancel()
	logged := t.log(history.Invoke, history.Heal, value, nil) // what cannot be recorded must be healed all the same
	if err := heal(ctx); err != nil {
		return errors.Join(fmt.Errorf("heal (%s): %w", value, err), logged, t.log(history.Info, history.Heal, value, err))
	}
	return errors.Join(logged, t.log(history.OK, history.Heal, value, nil))
}

// hold is a grant that lasts until it is told to end.
type hold struct {
	client.Holding
	test   *test
	client *clientProcess
}

// hold makes the next grant of the client last; nil: it was granted none within the bound.
func (t *test) hold(ctx context.Context, c *clientProcess) (*hold, error) {
	t.holds++
	id := t.holds
	if err := c.send(client.Command{Hold: &client.Hold{ID: id}}); err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, t.bound())
	defer cancel()
	e, err := c.await(bounded, func(e client.Event) bool { return e.Holding != nil && e.Holding.ID == id })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, c.send(client.Command{Resume: &struct{}{}})
	}
	if err != nil {
		return nil, err
	}
	t.setHolder(c.name)
	return &hold{Holding: *e.Holding, test: t, client: c}, nil
}

// end lets the holder go on and waits until it has written, or given up.
func (h *hold) end(ctx context.Context) error {
	if err := h.client.send(client.Command{Resume: &struct{}{}}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), h.test.bound(), fmt.Errorf("client %s does not end its hold", h.client.name))
	defer cancel()
	_, err := h.client.await(ctx, func(e client.Event) bool { return e.Held != nil && e.Held.ID == h.ID })
	return err
}
