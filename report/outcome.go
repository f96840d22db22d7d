package report

import (
	"slices"

	"github.com/lockbench/lockbench/internal/results"
)

// Tally counts what a run ended with. Each verdict of each test (exclusion, data, liveness) counts once; what
// did not run counts once per driver, test or phase.
type Tally struct {
	Valid int
	// Unexpected are violations that the scenario does not expect, Expected those that it does.
	Unexpected, Expected int
	// Missing are violations that the scenario expects and that did not appear.
	Missing int
	// Unknown are verdicts that the history is too small for, or that were not reached.
	Unknown int
	// NotRun are drivers, tests and phases that could not run here; Failed those under which the infrastructure failed.
	NotRun, Failed int
	// Interrupted is true if the run did not come to its end.
	Interrupted bool
}

// Outcome counts what the run ended with.
func Outcome(run results.Run, verdicts results.Verdicts) Tally {
	return tally(run, rows(run, verdicts, nil))
}

func tally(run results.Run, rows []Row) Tally {
	var t Tally
	for i := range rows {
		t.add(rows[i].tally())
	}
	t.Interrupted = run.Status != results.Complete && run.Status != results.Failed
	if run.Status == results.Failed && t.Failed == 0 {
		t.Failed++
	}
	return t
}

func (t *Tally) nothing() bool { return *t == Tally{} }

func (t *Tally) add(o Tally) {
	t.Valid += o.Valid
	t.Unexpected += o.Unexpected
	t.Expected += o.Expected
	t.Missing += o.Missing
	t.Unknown += o.Unknown
	t.NotRun += o.NotRun
	t.Failed += o.Failed
}

// tally counts the row. Tests without a verdict of a driver that did not run are counted with the driver.
func (r *Row) tally() Tally {
	var t Tally
	without := false
	switch r.Driver.Status {
	case results.NotRun:
		t.NotRun, without = 1, true
	case results.Failed:
		t.Failed, without = 1, true
	case results.Complete, results.Incomplete, results.NotApplicable:
	}
	for _, test := range r.Tests {
		if test.Result != nil || !without {
			t.add(test.Tally())
		}
	}
	if r.Driver.Status != results.NotApplicable && t.nothing() || r.Driver.Status == results.Incomplete && t.Unknown == 0 {
		t.Unknown++ // a driver of which nothing is known
	}
	return t
}

// Tally counts the verdicts of the test and what of it did not run.
func (test *TestRow) Tally() Tally {
	var t Tally
	switch test.Status {
	case results.NotRun:
		t.NotRun++
		for _, f := range []Finding{test.Exclusion, test.Data, test.Liveness} {
			if f.State == Invalid {
				t.addFinding(f)
			}
		}
		return t
	case results.Failed:
		t.Failed++
	case results.Complete, results.Incomplete, results.NotApplicable:
	}
	for _, p := range test.Phases {
		switch p.Status {
		case results.NotRun:
			t.NotRun++
		case results.Failed:
			t.Failed++
		case results.Complete, results.Incomplete, results.NotApplicable:
		}
	}
	for _, f := range []Finding{test.Exclusion, test.Data, test.Liveness} {
		t.addFinding(f)
	}
	if test.Incomplete() && t.Unknown == 0 {
		t.Unknown++ // what was found is known; what there was to find is not
	}
	return t
}

// Incomplete reports whether the test did not come to its end, though nothing is known to have kept it from that.
func (test *TestRow) Incomplete() bool {
	return !slices.Contains([]results.Status{results.Complete, results.NotRun, results.NotApplicable, results.Failed}, test.Status)
}

func (t *Tally) addFinding(f Finding) {
	switch {
	case f.State == Invalid && f.Expected:
		t.Expected++
	case f.State == Invalid:
		t.Unexpected++
	case f.Missing:
		t.Missing++
	case f.State == Unknown:
		t.Unknown++
	case f.State == Valid:
		t.Valid++
	}
}

// Exit is the exit code of the run: 130 if it was interrupted, else what its tally leads to.
func (m *Model) Exit() int {
	if m.Run.Interrupted() {
		return 130
	}
	return m.Tally.ExitCode()
}

// ExitCode is what a command ends with that judges these verdicts: 4 if the infrastructure failed, 1 if there is a violation
// that nobody expected, 3 if anything is unknown, missing or not run, or if nothing was judged at all, else 0.
func (t Tally) ExitCode() int {
	switch {
	case t.Failed > 0:
		return 4
	case t.Unexpected > 0:
		return 1
	case t.Unknown+t.Missing+t.NotRun > 0, t.Interrupted, t.Valid+t.Expected == 0:
		return 3
	default:
		return 0
	}
}
