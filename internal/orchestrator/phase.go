package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/recorder"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

// phase runs one phase of the test and leaves its result in the test's meta data.
func (t *test) phase(ctx context.Context, p scenarios.Phase, meta *results.Phase) error {
	if meta.Status != results.NotRun || meta.Reason != "" {
		t.emit(progress.Event{Kind: progress.PhaseSkipped, Phase: p.Name, Status: meta.Status, Reason: meta.Reason})
		return nil
	}
	defer t.tell(p, meta)()
	if err := t.log(history.Invoke, history.Phase, p.Name, nil); err != nil {
		return err
	}
	for i, h := range t.clients {
		load := t.workload(p, i)
		if err := h.assign(&load); err != nil {
			return err
		}
	}
	var late, err error
	if len(p.Faults) == 0 {
		late, err = t.undisturbed(ctx, p)
	} else {
		late, err = t.disturbed(ctx, p)
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
	_, hold := t.run.scenario.Workload.Hold.Of(t.ttl())
	return hold + max(3*t.ttl(), t.ttl()+time.Duration(t.run.scenario.Require.Allowance)+time.Second)
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
	streams, err := recorder.Streams(t.streams, "c")
	if err != nil {
		return 0, err
	}
	for _, path := range streams {
		ops, _, err := recorder.Ops(path)
		if errors.Is(err, recorder.ErrUnwritten) {
			continue // it is being made, or its client was killed as it made it
		}
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
