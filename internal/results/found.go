package results

import (
	"cmp"
	"errors"
	"os"
	"slices"
)

// The reasons that are given for what a run that never ended could not record.
const (
	neverEnded  = "it was killed or crashed before its end"
	cutShort    = "the run ended before this test was over: it was killed or crashed"
	driverShort = "the run ended before the tests of this driver were over: it was killed or crashed"
	phaseShort  = "the run ended before it was recorded whether this phase was over"
	testUnbegun = "the run ended before this test began"
	neverBegan  = "the run ended before it began"
	goesOn      = "the run is still going on"
)

// asFound corrects what a run that never ended says of itself: run.json was last written before the tests that it
// calls "not run" began, and what they left says otherwise.
func (s *Saved) asFound() {
	r := &s.Run
	if !r.Finished.IsZero() || r.Status == Complete {
		return
	}
	if errors.Is(s.Dir.Idle(), ErrInUse) {
		s.asItGoesOn()
		return
	}
	if r.Status == Incomplete {
		r.Reason = cmp.Or(r.Reason, neverEnded)
	}
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Status == NotRun {
			s.testAsFound(t)
		}
	}
	for i := range r.Drivers {
		if d := &r.Drivers[i]; d.Status == NotRun {
			s.driverAsFound(d)
		}
	}
}

// asItGoesOn gives what the run has not come to the one reason for that.
func (s *Saved) asItGoesOn() {
	r := &s.Run
	r.Reason = cmp.Or(r.Reason, goesOn)
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Status == NotRun {
			t.Reason = cmp.Or(t.Reason, goesOn)
		}
	}
	for i := range r.Drivers {
		if d := &r.Drivers[i]; d.Status == NotRun {
			d.Reason = cmp.Or(d.Reason, goesOn)
		}
	}
}

func (s *Saved) testAsFound(t *Test) {
	if !s.left(t.Name) {
		t.Reason = cmp.Or(t.Reason, testUnbegun)
		return
	}
	t.Status, t.Reason = Incomplete, cmp.Or(t.Reason, cutShort)
	for i := range t.Phases {
		if p := &t.Phases[i]; p.Status == NotRun && p.Reason == "" {
			p.Status, p.Reason = Incomplete, phaseShort // whether it began, the history says
		}
	}
}

// left reports whether a test left anything.
func (s *Saved) left(test string) bool {
	for _, path := range []string{s.Dir.History(test), s.Dir.Streams(test)} {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return slices.ContainsFunc(s.Verdicts.Tests, func(v TestVerdict) bool { return v.Test == test })
}

func (s *Saved) driverAsFound(d *Driver) {
	began, over := false, true
	for _, t := range s.Run.Tests {
		if t.Driver != d.Name {
			continue
		}
		began = began || t.Status == Complete || t.Status == Incomplete || t.Status == Failed
		over = over && (t.Status == Complete || t.Status == NotApplicable)
	}
	switch {
	case began && over:
		d.Status, d.Reason = Complete, ""
	case began:
		d.Status, d.Reason = Incomplete, cmp.Or(d.Reason, driverShort)
	default:
		d.Reason = cmp.Or(d.Reason, neverBegan)
	}
}
