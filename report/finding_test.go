package report

import (
	"slices"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report/measure"
)

const sec = int64(time.Second)

func TestFindingsMerge(t *testing.T) {
	valid, na := Finding{State: Valid}, Finding{State: NotApplicable, Reason: "n"}
	notRun, unknown := Finding{State: NotRun, Reason: "r"}, Finding{State: Unknown, Reason: "u"}
	failed := Finding{State: Failed, Reason: "f"}
	broken, expected := Finding{State: Invalid, Incidents: 2, Reason: "b"}, Finding{State: Invalid, Expected: true, Incidents: 3, Reason: "e"}
	whole := func(f Finding) Finding {
		f.Complete = true
		return f
	}
	for _, tt := range []struct {
		all  []Finding
		want Finding
	}{
		{[]Finding{valid, valid}, valid},
		{[]Finding{na, valid}, valid},
		{[]Finding{na, na}, na},
		{[]Finding{notRun, notRun}, notRun},
		{[]Finding{valid, notRun}, Finding{State: Unknown, Reason: "ran only in part: r"}},
		{[]Finding{unknown, valid}, unknown},
		{[]Finding{failed, unknown, valid}, failed},
		{[]Finding{valid, broken, unknown}, broken},
		{[]Finding{expected, valid}, expected},
		{[]Finding{broken, expected}, Finding{State: Invalid, Incidents: 5, Reason: "b; e"}},
		{[]Finding{expected, broken}, Finding{State: Invalid, Incidents: 5, Reason: "e; b"}},
		{[]Finding{whole(valid), whole(broken), na}, whole(broken)},
		{[]Finding{whole(valid), broken}, broken},
		{[]Finding{whole(broken), whole(broken)}, Finding{State: Invalid, Incidents: 4, Reason: "b", Complete: true}},
		{[]Finding{whole(unknown), whole(valid)}, whole(unknown)},
	} {
		if got := worst(tt.all); got != tt.want {
			t.Errorf("%+v is %+v, want %+v", tt.all, got, tt.want)
		}
	}
}

func TestTheWorstTestNamesTheBehaviour(t *testing.T) {
	blocks := measure.Phase{Name: "cut", Faults: make([]measure.InjectedFault, 1), What: measure.Blocks, Recovery: measure.SpanOf(2 * sec), LongestGap: measure.SpanOf(3 * sec)}
	goesOn := measure.Phase{Name: "cut", Faults: make([]measure.InjectedFault, 1), What: measure.GoesOn, Recovery: measure.SpanOf(sec), LongestGap: measure.SpanOf(sec)}
	stuck := measure.Phase{Name: "cut", Faults: make([]measure.InjectedFault, 1), What: measure.Blocks, Recovery: measure.NoSpan("nothing was granted after the heal"), LongestGap: measure.SpanOf(sec)}
	held := blocks
	held.From, held.Until, held.Faults = 0, 3*sec, []measure.InjectedFault{{Fault: history.Fault{Role: "holder"}}}
	held.LongestGap = measure.SpanOf(5 * sec) // with the TTL
	rare := goesOn
	rare.Attempts, rare.Grants = 9, 1
	idle := measure.Phase{Name: "cut", Faults: make([]measure.InjectedFault, 1), Reason: "no acquire was invoked during the fault", Recovery: measure.SpanOf(1)}
	test := func(heed bool, p measure.Phase, kinds ...string) TestRow {
		return TestRow{Test: results.Test{Heeding: heed, Status: results.Complete}, Measured: measure.Measurement{Phases: []measure.Phase{p}},
			Result: &checker.Result{Incidents: []checker.Incident{{Kinds: kinds}}}}
	}
	if b := (&Row{Tests: []TestRow{test(true, held)}}).behaviour("cut"); b.Severity() != Unknown {
		t.Errorf("a lock that stays with a holder who is cut off is marked %s", b.Severity())
	}
	for _, tt := range []struct {
		tests []TestRow
		want  string
	}{
		{[]TestRow{test(true, goesOn)}, "goes on; gap 1.00 s"},
		{[]TestRow{test(true, goesOn), test(false, blocks)}, "blocks or goes on; gap 3.00 s; back in 2.00 s"},
		{[]TestRow{test(true, blocks), test(false, stuck)}, "blocks; gap 1.00 s; no recovery seen"},
		{[]TestRow{test(true, goesOn, "stale_write")}, "goes on; gap 1.00 s"},
		{[]TestRow{test(true, goesOn), test(false, goesOn, "overlap")}, "lets two in (ignoring); gap 1.00 s; back in 1.00 s"},
		{[]TestRow{test(true, goesOn, "interleaved"), test(false, goesOn)}, "lets two in (heeding); gap 1.00 s; back in 1.00 s"},
		{[]TestRow{test(true, goesOn, "token_regression"), test(false, blocks, "overlap")}, "lets two in (heeding or ignoring); gap 3.00 s; back in 2.00 s"},
		{[]TestRow{test(true, rare), test(false, goesOn)}, "goes on; 1 of 9 granted; gap 1.00 s"},
		{[]TestRow{test(true, idle)}, "unknown"},
		{[]TestRow{test(true, idle), test(false, goesOn)}, "goes on; gap 1.00 s"},
		{nil, "not run"},
		{[]TestRow{test(true, held), test(false, goesOn)}, "blocks or goes on; for as long as the fault lasts (3.00 s here); back in 2.00 s"},
	} {
		row := Row{Tests: tt.tests}
		if got := row.behaviour("cut").String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestNothingIsAdvertisedAsKnown(t *testing.T) {
	m := NewModel(results.Run{Status: results.Complete}, results.Verdicts{}, true, nil)
	if !slices.Equal(m.Says, []string{"This run measured nothing. It says nothing about any lock."}) {
		t.Errorf("%q", m.Says)
	}
	if v := (checker.Result{}); v.Exclusion.Verdict != checker.NotApplicable {
		t.Error("an absent verdict looks like one")
	}
}
