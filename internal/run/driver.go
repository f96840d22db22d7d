package run

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run/nemesis"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// driverRun is one driver's part of the run.
type driverRun struct {
	live    live
	index   int  // of its row in the table
	broken  bool // the servers are not what they were
	row     results.Driver
	tests   []results.Test // commit publishes row and tests; until then they are this driver's goroutine's own
	current *test          // the first test, kept open between the phases that run alone and the rest
}

// drive runs the phases that run alone driver after driver, then everything else side by side.
func (r *run) drive(ctx context.Context, parts []*driverRun) error {
	var errs []error
	for i := range parts {
		if p := parts[(r.cfg.First+i)%len(parts)]; p.live.cluster != nil {
			errs = append(errs, r.alone(ctx, p))
		}
	}
	each := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, p := range parts {
		if p.live.cluster != nil {
			wg.Go(func() { each[i] = r.rest(ctx, p) })
		}
	}
	wg.Wait()
	for i, p := range parts {
		switch err := each[i]; {
		case p.live.cluster == nil:
		case ctx.Err() != nil:
			p.row.Status, p.row.Reason = results.Incomplete, "interrupted"
		case err != nil:
			p.row.Status, p.row.Reason = results.Failed, err.Error()
		default:
			p.row.Status = results.Complete
		}
		r.publish(p)
	}
	return errors.Join(append(errs, each...)...)
}

// firstTest is the first test of the driver that can run, or nil.
func (p *driverRun) firstTest() *results.Test {
	for i := range p.tests {
		if p.tests[i].Status == results.NotRun {
			return &p.tests[i]
		}
	}
	return nil
}

// alone runs the leading phases that run alone, and leaves the test open. What fails is told by rest.
func (r *run) alone(ctx context.Context, p *driverRun) error {
	meta := p.firstTest()
	if meta == nil || !r.scenario.Phases[0].Alone || ctx.Err() != nil {
		return nil
	}
	t, err := r.openTest(ctx, p, meta, true)
	p.current = t
	if err != nil {
		return nil // recorded in the test, and told by rest
	}
	phases, unwatch := t.watchProcesses(ctx)
	defer unwatch()
	defer t.tick(ctx)()
	for _, ph := range t.nemesis.Phases() {
		if planned := meta.Phase(ph.Name); ph.Alone && planned != nil {
			if t.err = t.phase(phases, ph, planned); t.err != nil {
				return nil
			}
		}
	}
	// The workers must not disturb the next driver.
	t.err = t.restAll(phases)
	return nil
}

// rest runs the remaining phases of the open test, and then the other tests.
func (r *run) rest(ctx context.Context, p *driverRun) error {
	var errs []error
	for k := range p.tests {
		meta := &p.tests[k]
		if meta.Status != results.NotRun {
			continue
		}
		t := p.current // has run its phases alone, and must end in order whatever happens
		p.current = nil
		if t == nil && ctx.Err() != nil {
			meta.Reason = "interrupted before it began"
			continue
		}
		if t == nil {
			t, _ = r.openTest(ctx, p, meta, false)
		}
		phases, unwatch := t.watchProcesses(ctx)
		untick, unfollow := t.tick(ctx), t.follow(ctx)
		for _, ph := range t.nemesis.Phases() {
			if planned := meta.Phase(ph.Name); t.err == nil && phases.Err() == nil && !ph.Alone && planned != nil {
				t.err = t.phase(phases, ph, planned)
			}
		}
		unfollow()
		untick()
		unwatch()
		t.err = errors.Join(t.err, t.finish(ctx))
		p.broken = errors.Is(t.err, nemesis.ErrHeal)
		r.settle(ctx, p, t)
		errs = append(errs, t.err)
		if p.broken { // nothing that ran on these servers now would mean anything
			why := fmt.Errorf("it did not run, because after %s %w", t.meta.Name, nemesis.ErrHeal)
			p.noTest(results.Failed, why)
			r.emit(progress.Event{Kind: progress.DriverOut, Driver: p.row.Name, Status: results.Failed, Reason: why.Error()})
			break
		}
	}
	return errors.Join(errs...)
}

// openTest makes a test; its err says what went wrong.
func (r *run) openTest(ctx context.Context, p *driverRun, meta *results.Test, first bool) (*test, error) {
	t := r.newTest(p.live, meta)
	meta.Phases = plan.Phases(t.nemesis.Planned(), t.nemesis.Target(), t.ttl(), first)
	t.emit(progress.Event{Kind: progress.TestStarted})
	r.publish(p)
	if t.err = r.save(); t.err == nil { // if the run is killed now, this is what says which phases there were to be
		t.err = t.revive(ctx)
	}
	if t.err == nil {
		t.err = t.open(ctx)
	}
	return t, t.err
}
