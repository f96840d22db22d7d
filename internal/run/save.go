package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run/nemesis"
)

// publish puts the driver's row and tests into what is saved of the run.
func (r *run) publish(p *driverRun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.meta.Drivers[p.index] = p.row
	for _, t := range p.tests {
		t.Phases, t.Notes = slices.Clone(t.Phases), slices.Clone(t.Notes)
		if i := slices.IndexFunc(r.meta.Tests, func(o results.Test) bool { return o.Name == t.Name }); i >= 0 {
			r.meta.Tests[i] = t
		} else {
			r.meta.Tests = append(r.meta.Tests, t)
		}
	}
}

func describe(d drivers.Driver) results.Driver {
	return results.Driver{
		Name: d.Info.Name, Title: d.Info.Title, Summary: d.Info.Summary, Backend: string(d.Info.Backend),
		Nodes: len(d.Info.Topology), RoundTrips: d.Info.RoundTrips, Token: d.Info.Token, Lease: d.Info.Lease,
		Renewed: d.Info.Renewed, LossBy: string(d.Info.LossBy), Status: results.NotRun,
	}
}

// settle writes how a test ended; phase 2 of saving.
func (r *run) settle(ctx context.Context, p *driverRun, t *test) {
	switch {
	case ctx.Err() != nil:
		t.meta.Status, t.meta.Reason = results.Incomplete, "interrupted"
	case t.died != nil && !p.broken:
		t.meta.Status, t.meta.Reason = results.Incomplete, t.died.Error()
		t.err = nil // of what the death brought about
	case t.err != nil:
		t.meta.Status, t.meta.Reason = results.Failed, t.err.Error()
		t.err = fmt.Errorf("%s: %w", t.meta.Name, t.err)
	default:
		t.meta.Status = results.Complete
	}
	t.emit(progress.Event{Kind: progress.TestEnded, Status: t.meta.Status, Reason: t.meta.Reason})
	r.publish(p)
	r.mu.Lock()
	r.schedules = append(r.schedules, t.nemesis.Schedule())
	r.mu.Unlock()
	t.err = errors.Join(t.err, r.save(), r.saveSchedule())
}

// saveSchedule writes what was injected so far.
func (r *run) saveSchedule() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := nemesis.Schedule{Seed: r.cfg.Seed, Scenario: r.scenario, Tests: r.schedules}
	return r.dir.Write(results.ScheduleFile, s.Write)
}

// save writes run.json.
func (r *run) save() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dir.WriteRun(&r.meta)
}

// conclude marks the run's end and writes run.json for the last time.
func (r *run) conclude(ctx context.Context, failure error) error {
	r.mu.Lock()
	r.meta.Finished = time.Now()
	switch {
	case ctx.Err() != nil:
		r.meta.Status, r.meta.Reason = results.Incomplete, "interrupted"
	case failure != nil:
		r.meta.Status, r.meta.Reason = results.Failed, failure.Error()
	default:
		r.meta.Status = results.Complete
	}
	r.mu.Unlock()
	return errors.Join(r.save(), r.saveSchedule(), removeEmpty(r.dir.File(results.StreamDir)))
}

func removeEmpty(dir string) error {
	err := os.Remove(dir)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	entries, readErr := os.ReadDir(dir)
	if readErr == nil && len(entries) > 0 {
		return nil // the streams of a test whose history could not be merged are worth keeping
	}
	return fmt.Errorf("remove the directory of merged streams: %w", err)
}
