package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/explain"
	"github.com/lockbench/lockbench/internal/results"
)

// A failure tells the first of the incidents that it is about, and counts the others.
func TestJUnitTellsWhatFailed(t *testing.T) {
	invalid := checker.Judgement{Verdict: checker.Invalid, Reason: "many\x1b"}
	v := results.TestVerdict{Test: "d.a", Result: checker.Result{Exclusion: invalid, Data: invalid, Liveness: invalid}}
	for i := range 30 {
		kind := []string{"overlap", "lost_update"}[i%2]
		v.Result.Incidents = append(v.Result.Incidents, checker.Incident{Kinds: []string{kind}, Explanation: fmt.Sprintf("<%s>\n%d", kind, i+1)})
	}
	v.Explanations = []explain.Explanation{{Number: 3, Text: "c1 held `x`"}}
	run := results.Run{
		Status: results.Complete, Drivers: []results.Driver{{Name: "d", Status: results.Complete}}, Tests: []results.Test{{Name: "d.a", Driver: "d", Status: results.Complete}},
	}
	m := NewModel(run, results.Verdicts{Tests: []results.TestVerdict{v}}, true, nil)
	cases := m.Rows[0].junit("run").Cases
	told := map[string]string{}
	for _, c := range cases {
		if c.Failure != nil {
			told[strings.Fields(c.Name)[0]] = c.Failure.Body
		}
	}
	exclusion, data := "invalid\u00a0×15: many", "invalid\u00a0×15: many"
	for i := range 20 {
		switch {
		case i == 2:
			exclusion += "\nincident 3: c1 held `x`"
		case i%2 == 0:
			exclusion += fmt.Sprintf("\nincident %d: <overlap> %[1]d", i+1)
		default:
			data += fmt.Sprintf("\nincident %d: <lost_update> %[1]d", i+1)
		}
	}
	for name, want := range map[string]string{
		"exclusion": exclusion + "\nand 5 more, in verdict.json", "data": data + "\nand 5 more, in verdict.json", "liveness": "invalid: many",
	} {
		if want = strings.ReplaceAll(want, "\u00a0", " "); told[name] != want {
			t.Errorf("%s: %q, want %q", name, told[name], want)
		}
	}
}

// What is run again has the same names, and what is run otherwise has others.
func TestJUnitNames(t *testing.T) {
	round := func(n int) *Model {
		return NewModel(results.Run{Scenario: "s", Round: &results.Round{N: n, Of: 2}}, results.Verdicts{}, true, nil)
	}
	swept := NewModel(results.Run{Scenario: "s", Settings: map[string]string{results.SweepSetting: "$.workload.ttl = 2s"}}, results.Verdicts{}, true, nil)
	file := junitFile([]*Model{round(1), round(2), round(2), swept, NewModel(results.Run{Scenario: "s, round 2 of 2 (2)"}, results.Verdicts{}, true, nil)})
	var names []string
	for _, s := range file.Suites {
		names = append(names, s.Name)
	}
	want := []string{
		"lockbench.s, round 1 of 2", "lockbench.s, round 2 of 2", "lockbench.s, round 2 of 2 (2)", "lockbench.s with $.workload.ttl = 2s", "lockbench.s, round 2 of 2 (2) (2)",
	}
	if !slices.Equal(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
}
