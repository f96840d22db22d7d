package report

import (
	"slices"
	"strings"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report/measure"
)

// State is what is known about a question.
type State string

// The states. Only Valid says that something is as it should be.
const (
	NotApplicable State = "not applicable"
	Valid         State = "valid"
	NotRun        State = "not run"
	Unknown       State = "unknown"
	Failed        State = "failed"
	Invalid       State = "invalid"
)

// severity orders states for merging: the worst of several tests is what a cell shows.
func (s State) Severity() int {
	return slices.Index([]State{NotApplicable, Valid, NotRun, Unknown, Failed, Invalid}, s)
}

// Finding is what is known about one question, asked of one or more tests.
type Finding struct {
	State State
	// Expected is true if the scenario expects every violation behind it, Missing if it expects one that did not
	// appear.
	Expected, Missing bool
	// Incidents is the number of incidents that answer this question.
	Incidents int
	// Complete is true if every test that was asked came to its end and was judged, so that Incidents counts all
	// there was.
	Complete bool
	// Reason says why the state is not Valid.
	Reason string
	// NotAsked is true if the run's settings leave all such tests out, NoToken if the lock issues no token to fence
	// it by.
	NotAsked, NoToken bool
}

// Word is the state, or what people call it.
func (f Finding) Word() string {
	switch {
	case f.NoToken:
		return "cannot be fenced"
	case f.NotAsked:
		return "not asked"
	}
	return string(f.State)
}

// verdictOf judges one question of a test: by its verdict, by how far it ran, and by what the scenario expects
// ("", "valid", "invalid" or "any").
func verdictOf(t results.Test, judged bool, j checker.Judgement, expect string) Finding {
	switch {
	case judged && j.Verdict == checker.Invalid: // whatever is said of how far the test ran, that was found
		return Finding{State: Invalid, Expected: expect == "invalid" || expect == "any", Reason: j.Reason}
	case t.Status == results.NotApplicable:
		return Finding{State: NotApplicable, Reason: t.Reason}
	case t.Status == results.NotRun:
		return Finding{State: NotRun, Reason: t.Reason}
	case t.Status == results.Failed:
		return Finding{State: Failed, Reason: t.Reason}
	case !judged:
		return Finding{State: Unknown, Reason: strings.TrimSuffix("not judged: "+t.Reason, ": ")}
	case expect == "invalid":
		reason := "the expected violation did not appear"
		if j.Reason != "" {
			reason += "; " + j.Reason
		}
		return Finding{State: Unknown, Missing: true, Reason: reason}
	case j.Verdict == checker.NotApplicable:
		return Finding{State: NotApplicable, Reason: j.Reason}
	case j.Verdict == checker.Valid && t.Status == results.Complete:
		return Finding{State: Valid}
	case j.Verdict == checker.Valid:
		return Finding{State: Unknown, Reason: strings.TrimSuffix("valid so far, but the test is incomplete: "+t.Reason, ": ")}
	default:
		return Finding{State: Unknown, Reason: j.Reason}
	}
}

func newTestRow(t results.Test, v *results.TestVerdict, m measure.Measurement) TestRow {
	row := TestRow{Test: t, Measured: m}
	var result checker.Result
	judged := v != nil
	if judged {
		row.Result, row.Explanations = &v.Result, v.Explanations
		result = v.Result
	}
	var expect results.Expect
	if t.Expect != nil {
		expect = *t.Expect
	}
	row.Exclusion = verdictOf(t, judged, result.Exclusion, expect.Exclusion)
	row.Data = verdictOf(t, judged, result.Data, expect.Data)
	row.Liveness = verdictOf(t, judged, result.Liveness, "")
	row.Exclusion.Incidents = count(result.Incidents, measure.IsExclusion)
	row.Data.Incidents = count(result.Incidents, measure.IsData)
	row.Exclusion.Complete = t.Status == results.Complete && known(result.Exclusion)
	row.Data.Complete = t.Status == results.Complete && known(result.Data)
	return row
}

// known reports whether the checkers found out.
func known(j checker.Judgement) bool {
	return j.Verdict == checker.Valid || j.Verdict == checker.Invalid
}

func count(incidents []checker.Incident, is func(checker.Incident) bool) (n int) {
	for _, i := range incidents {
		if is(i) {
			n++
		}
	}
	return n
}

// AnyTest and the functions below pick the tests that a question is asked of.
func AnyTest(*TestRow) bool    { return true }
func Heeding(t *TestRow) bool  { return t.Heeding }
func Ignoring(t *TestRow) bool { return !t.Heeding }
func Unfenced(t *TestRow) bool { return !t.Fenced }
func Fenced(t *TestRow) bool   { return t.Fenced }

// InTransaction picks the tests whose data lived in the lock's own transaction.
func InTransaction(t *TestRow) bool { return t.InTransaction }

// Find merges what the tests that pass say about one question. The worst wins; what ran only in part is never valid.
func (r *Row) Find(of func(*TestRow) Finding, pass func(*TestRow) bool) Finding {
	if r.Nothing() {
		return Finding{State: State(r.Driver.Status), Reason: r.Driver.Reason}
	}
	var all []Finding
	for i := range r.Tests {
		if t := &r.Tests[i]; pass(t) {
			all = append(all, of(t))
		}
	}
	if len(all) == 0 {
		return Finding{State: NotRun, Reason: notAsked, NotAsked: true}
	}
	return worst(all)
}

func worst(all []Finding) Finding {
	w := all[0]
	w.Incidents, w.Expected, w.Complete = 0, true, true
	ran := false
	for _, f := range all {
		switch {
		case f.State.Severity() > w.State.Severity():
			w.State, w.Reason = f.State, f.Reason
		case f.State == Invalid && w.State == Invalid && f.Reason != "" && !strings.Contains(w.Reason, f.Reason):
			w.Reason = strings.TrimPrefix(w.Reason+"; "+f.Reason, "; ") // each test has counts of its own
		}
		w.Complete = w.Complete && (f.Complete || f.State == NotApplicable)
		w.Missing = w.Missing || f.Missing
		w.Incidents += f.Incidents
		w.Expected = w.Expected && (f.State != Invalid || f.Expected)
		ran = ran || f.State == Valid
	}
	w.Expected = w.Expected && w.State == Invalid
	w.Complete = w.Complete && w.State != NotApplicable
	if w.State == NotRun && ran {
		w.State, w.Reason = Unknown, "ran only in part: "+w.Reason
	}
	return w
}

// notAsked is why a run has no test of some kind.
const notAsked = "this run was not asked for such a test"
