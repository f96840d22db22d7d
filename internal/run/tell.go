package run

import (
	"context"
	"slices"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// emit stamps the event and tells it to who looks, if anybody does.
func (r *run) emit(e progress.Event) {
	if r.cfg.Progress != nil {
		e.Time = time.Now()
		r.cfg.Progress(e)
	}
}

// emit tells an event of the test.
func (t *test) emit(e progress.Event) {
	e.Driver, e.Test = t.meta.Driver, t.meta.Name
	t.run.emit(e)
}

// announce tells what is about to run.
func (r *run) announce(parts []*driverRun) {
	about := progress.Run{
		Scenario: r.scenario.Name, Swept: r.meta.Sweep.String(), Round: r.meta.Round, Seed: r.cfg.Seed, Dir: r.shown, Tests: []progress.Test{},
	}
	for _, p := range parts {
		about.Drivers = append(about.Drivers, p.row.Name)
		first := p.firstTest()
		for i := range p.tests {
			if t := &p.tests[i]; t.Status == results.NotRun {
				about.Tests = append(about.Tests, progress.Test{Name: t.Name, Driver: t.Driver, Phases: r.expect(p.live.driver, t, t == first)})
			}
		}
	}
	r.emit(progress.Event{Kind: progress.RunStarted, Run: &about})
}

// expect lists the phases that a test may have. Only its running cluster can tell which of them have a meaning.
func (r *run) expect(d drivers.Driver, t *results.Test, first bool) []progress.Phase {
	phases := []progress.Phase{}
	for _, p := range r.scenario.Phases {
		if p.Alone && !first || len(p.Drivers) > 0 && !slices.Contains(p.Drivers, t.Driver) {
			continue
		}
		phases = append(phases, progress.Phase{Name: p.Name, Alone: p.Alone, Expected: plan.Lasts(r.scenario, p, d)})
	}
	return phases
}

// tell tells that a phase begins; the caller calls ended when it is over.
func (t *test) tell(p scenarios.Phase, meta *results.Phase) (ended func()) {
	if t.run.cfg.Progress == nil {
		return func() {}
	}
	t.emit(progress.Event{Kind: progress.PhaseStarted, Phase: p.Name, Expected: plan.Lasts(t.scenario, p, t.driver)})
	began := time.Now()
	t.unmeasured(t.meter.begin(p.Name))
	return func() {
		took := time.Since(began)
		_, counts := t.counts(0)
		if counts != nil {
			counts.Rate = float64(counts.Grants) / took.Seconds()
		}
		t.meter.end()
		t.emit(progress.Event{
			Kind: progress.PhaseEnded, Phase: p.Name, Status: meta.Status, Reason: meta.Reason, Took: took, Counts: counts,
		})
	}
}

const (
	// tickEvery is how often a test tells its counts.
	tickEvery = time.Second
	// enoughForRate is how long after a phase's begin they are told first: some grants in a few milliseconds are no
	// rate.
	enoughForRate = 500 * time.Millisecond
)

// tick tells the test's counts now and then, until the caller calls stop.
func (t *test) tick(ctx context.Context) (stop func()) {
	if t.run.cfg.Progress == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, tickEvery) == nil {
			if phase, c := t.counts(enoughForRate); c != nil {
				t.emit(progress.Event{Kind: progress.Tick, Phase: phase, Counts: c})
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// counts reads the meter; nil: there is nothing to count, the last count is not yet so long ago, or it cannot be read
// any more, which was told.
func (t *test) counts(longAgo time.Duration) (phase string, c *progress.Counts) {
	phase, c, err := t.meter.read(longAgo)
	t.unmeasured(err)
	if c != nil {
		c.Incidents = t.incidents.Load()
	}
	return phase, c
}

// unmeasured tells why the meter stopped: the run does not depend on it.
func (t *test) unmeasured(err error) {
	if err != nil {
		t.emit(progress.Event{Kind: progress.Note, Text: err.Error() + "; it is counted only when the test is over"})
	}
}
