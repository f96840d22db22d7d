package results

import (
	"errors"
	"os"
	"testing"
	"time"
)

// crashed makes the run of four drivers that was killed: one was over, one was judged to its end, one was under way
// and one had not begun.
func crashed(t *testing.T, finished time.Time) Saved {
	t.Helper()
	d := create(t)
	run := Run{
		Format: Format, Status: Incomplete, Finished: finished,
		Drivers: []Driver{
			{Name: "over", Status: NotRun}, {Name: "broken", Status: NotRun}, {Name: "under-way", Status: NotRun},
			{Name: "unbegun", Status: NotRun}, {Name: "absent", Status: NotRun, Reason: "it is not installed"},
		},
		Tests: []Test{
			{Name: "over.1", Driver: "over", Status: Complete}, {Name: "over.2", Driver: "over", Status: NotApplicable, Reason: "no token"},
			{Name: "broken.1", Driver: "broken", Status: Failed, Reason: "a client is gone"},
			{Name: "streams", Driver: "under-way", Status: NotRun, Phases: []Phase{{Name: "a", Status: NotRun}, {Name: "b", Status: NotApplicable, Reason: "one server"}}},
			{Name: "history", Driver: "under-way", Status: NotRun}, {Name: "verdict", Driver: "under-way", Status: NotRun},
			{Name: "later", Driver: "under-way", Status: NotRun}, {Name: "unbegun.1", Driver: "unbegun", Status: NotRun},
			{Name: "absent.1", Driver: "absent", Status: NotRun, Reason: "it is not installed"},
		},
	}
	if err := errors.Join(
		d.WriteRun(&run), d.WriteVerdicts(&Verdicts{Format: Format, Tests: []TestVerdict{{Test: "verdict"}}}),
		os.MkdirAll(d.Streams("streams"), 0o755), os.WriteFile(d.History("history"), nil, 0o600), os.WriteFile(d.History("over.1"), nil, 0o600),
	); err != nil {
		t.Fatal(err)
	}
	s, err := Load(string(d))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAsFound wants of a run that was killed what its files show, and not what run.json said before the tests.
func TestAsFound(t *testing.T) {
	s := crashed(t, time.Time{})
	type state struct {
		status Status
		reason string
	}
	want := map[string]state{
		"over": {Complete, ""}, "broken": {Incomplete, driverShort}, "under-way": {Incomplete, driverShort},
		"unbegun": {NotRun, neverBegan}, "absent": {NotRun, "it is not installed"},
		"over.1": {Complete, ""}, "over.2": {NotApplicable, "no token"}, "broken.1": {Failed, "a client is gone"},
		"streams": {Incomplete, cutShort}, "history": {Incomplete, cutShort}, "verdict": {Incomplete, cutShort},
		"later": {NotRun, testUnbegun}, "unbegun.1": {NotRun, testUnbegun}, "absent.1": {NotRun, "it is not installed"},
	}
	got := map[string]state{}
	for _, d := range s.Run.Drivers {
		got[d.Name] = state{d.Status, d.Reason}
	}
	for _, test := range s.Run.Tests {
		got[test.Name] = state{test.Status, test.Reason}
		if test.Name == "streams" && (test.Phases[0] != Phase{Name: "a", Status: Incomplete, Reason: phaseShort} || test.Phases[1].Status != NotApplicable) {
			t.Errorf("phases %+v", test.Phases)
		}
	}
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s is %q, want %q", name, got[name], w)
		}
	}
	if s.Run.Status != Incomplete || s.Run.Reason != neverEnded {
		t.Errorf("the run is %s: %s", s.Run.Status, s.Run.Reason)
	}
}

// TestAsFoundLeavesWhatEnded wants nothing to be changed of a run that recorded its end.
func TestAsFoundLeavesWhatEnded(t *testing.T) {
	s := crashed(t, started)
	for _, test := range s.Run.Tests {
		if test.Status == Incomplete {
			t.Errorf("%s is %s: %s", test.Name, test.Status, test.Reason)
		}
	}
	for _, d := range s.Run.Drivers {
		if d.Status != NotRun {
			t.Errorf("%s is %s", d.Name, d.Status)
		}
	}
	if s.Run.Reason != "" {
		t.Errorf("the run is %s: %s", s.Run.Status, s.Run.Reason)
	}
}
