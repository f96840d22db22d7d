package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/progress"
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
	if err := t.nemesis.Phase(history.Invoke, p.Name, nil); err != nil {
		return err
	}
	for i, h := range t.clients {
		load := t.workload(p, i)
		if err := h.Assign(&load); err != nil {
			return err
		}
	}
	var late, err error
	if len(p.Faults) == 0 {
		late, err = t.undisturbed(ctx, p)
	} else {
		late, err = t.nemesis.Disturb(ctx, p)
	}
	switch {
	case err != nil:
		meta.Status, meta.Reason = results.Incomplete, err.Error()
		return errors.Join(err, t.nemesis.Phase(history.Info, p.Name, err))
	case late != nil:
		meta.Status, meta.Reason = results.Complete, late.Error()
		t.meta.Notes = append(t.meta.Notes, fmt.Sprintf("phase %s: %v", p.Name, late))
		return t.nemesis.Phase(history.Info, p.Name, late)
	default:
		meta.Status = results.Complete
		return t.nemesis.Phase(history.OK, p.Name, nil)
	}
}

func (t *test) ttl() time.Duration { return time.Duration(t.scenario.Workload.TTL) }

// bound is the longest wait for anything that a lock is free not to do.
func (t *test) bound() time.Duration {
	_, hold := t.scenario.Workload.Hold.Of(t.ttl())
	return hold + max(3*t.ttl(), t.ttl()+time.Duration(t.scenario.Require.Allowance)+time.Second)
}

// undisturbed lets the workers work for as long as the phase lasts, and then until there were as many grants as it
// takes to prove anything: a busy machine stretches that. late is not nil if they did not come within the bound.
func (t *test) undisturbed(ctx context.Context, p scenarios.Phase) (late, err error) {
	from := t.watch.GrantsSeen()
	if err := sleep(ctx, p.For.Of(t.ttl())); err != nil {
		return nil, err
	}
	need := t.scenario.Require.Grants
	came, err := t.watch.AwaitGrants(ctx, from, need, func(resource.GrantSeen) bool { return true })
	if err == nil && !came {
		late = fmt.Errorf("fewer than %d grants within %v", need, p.For.Of(t.ttl())+t.bound())
	}
	return late, err
}
