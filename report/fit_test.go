package report

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report/measure"
)

func TestFits(t *testing.T) {
	valid, invalid, unknown := Finding{State: Valid}, Finding{State: Invalid}, Finding{State: Unknown}
	notAsked := Finding{State: NotRun, NotAsked: true}
	token := results.Driver{Token: "revision"}
	struck := measure.Struck{PausedHolder: true, CutHolder: true, CutServers: true, LateWrite: true, RefusedWrite: true, WroteUnderFault: true}
	test := func(fenced, own bool, change func(*TestRow)) *TestRow {
		r := &TestRow{Result: &checker.Result{Counts: checker.Counts{FencedOff: 2}}, Measured: measure.Measurement{Struck: struck}}
		r.Test.Fenced, r.Test.InTransaction = fenced, own
		change(r)
		return r
	}
	all := func(*TestRow) {}
	fenced, plain, own := test(true, false, all), test(false, false, all), test(false, true, all)
	only := func(s measure.Struck) *TestRow {
		return test(true, false, func(r *TestRow) { r.Measured.Struck = s })
	}
	for _, tt := range []struct {
		name   string
		answer Answer
		rules  string
		lacks  string
	}{
		{"token, fence held everywhere", Answer{Driver: token, Heeding: invalid, Unfenced: invalid, Fenced: valid, tests: []*TestRow{fenced}}, "V2", ""},
		{"in several tests together", Answer{Driver: token, Fenced: valid, tests: []*TestRow{
			only(measure.Struck{PausedHolder: true, LateWrite: true}), only(measure.Struck{RefusedWrite: true, CutHolder: true, CutServers: true}),
		}}, "V2", ""},
		{"token, fence held in one", Answer{Driver: token, Heeding: valid, Fenced: valid, tests: []*TestRow{only(measure.Struck{PausedHolder: true})}}, "V2", "E2 E3 E4 E5"},
		{"seen in tests without a fence only", Answer{Driver: token, Fenced: valid, tests: []*TestRow{plain, own}}, "V2", "E1 E2 E3 E4 E5"},
		{"not judged", Answer{Driver: token, Fenced: valid, tests: []*TestRow{test(true, false, func(r *TestRow) { r.Result = nil })}}, "V2", "E1 E2 E3 E4 E5"},
		{"no write was ever refused", Answer{Driver: token, Fenced: valid, tests: []*TestRow{test(true, false, func(r *TestRow) { r.Measured.Struck.RefusedWrite = false })}}, "V2", "E3"},
		{"no later holder explains a refusal", Answer{Driver: token, Fenced: valid, tests: []*TestRow{test(true, false, func(r *TestRow) { r.Result.Counts.FencedOff = 0 })}}, "V2", "E3"},
		{"token, fence failed", Answer{Driver: token, Heeding: valid, Unfenced: valid, Fenced: invalid, InTransaction: valid, tests: []*TestRow{fenced, own}}, "V1", ""},
		{"token, fence not asked for", Answer{Driver: token, Heeding: valid, Unfenced: valid, Fenced: notAsked}, "V4", ""},
		{"token, fence unknown", Answer{Driver: token, Heeding: valid, Fenced: unknown, tests: []*TestRow{fenced}}, "V4", ""},
		{"no token, broke", Answer{Heeding: valid, Ignoring: invalid, Unfenced: invalid, Fenced: Finding{State: NotApplicable}}, "V4", ""},
		{"no token, never broke", Answer{Heeding: valid, Ignoring: valid, Unfenced: valid}, "V4", ""},
		{"own transaction", Answer{InTransaction: valid, tests: []*TestRow{own}}, "V3", ""},
		{"own transaction without a fault", Answer{InTransaction: valid, tests: []*TestRow{fenced}}, "V3", "E6"},
		{"token and own transaction", Answer{Driver: token, Fenced: valid, InTransaction: valid, tests: []*TestRow{fenced, own}}, "V2 V3", ""},
		{"own transaction broke", Answer{Heeding: valid, InTransaction: invalid, tests: []*TestRow{own}}, "V4", ""},
		{"nothing judged", Answer{Driver: token, Heeding: unknown, Ignoring: notAsked, Unfenced: unknown, Fenced: unknown}, "V5", ""},
		{"not run", Answer{Driver: token, Heeding: Finding{State: NotRun}, Fenced: Finding{State: NotRun}}, "V5", ""},
		{"failed", Answer{Driver: token, Heeding: Finding{State: Failed}, Fenced: Finding{State: Failed}}, "V5", ""},
	} {
		var rules []string
		a := tt.answer
		a.Fits = fits(&a)
		for _, f := range a.Fits {
			rules = append(rules, f.Rule.ID)
		}
		if got := strings.Join(rules, " "); got != tt.rules {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.rules)
		}
		var lacks []string
		for _, e := range a.Missing() {
			lacks = append(lacks, e.ID)
		}
		if got := strings.Join(lacks, " "); got != tt.lacks {
			t.Errorf("%s: lacks %v, want %v", tt.name, got, tt.lacks)
		}
	}
}

// What is missing is said with the scenarios that would show it, each once.
func TestLacks(t *testing.T) {
	a := Answer{Driver: results.Driver{Token: "revision"}, Fenced: Finding{State: Valid}}
	a.Fits = fits(&a)
	const want = "correctness, if the resource checks the fencing token (V2). Provisional, until it is seen with a holder paused past its TTL " +
		"(client-pause), a write late on its way and a late write refused (delayed-write), a holder cut off past its TTL and servers cut off (partition)."
	if got := a.Headline(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// The table in the docs is the rules, and so are its terms those of the glossary.
func TestVerdictsAreDocumented(t *testing.T) {
	docs, err := os.ReadFile("../docs/verdicts.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, r := range Rules() {
		rests := "–"
		for i, e := range r.Rests {
			if i == 0 {
				rests = e.ID
			} else {
				rests += ", " + e.ID
			}
		}
		want = append(want, fmt.Sprintf("| %s | %s | %s | %s |", r.ID, r.When, r.For, rests))
	}
	for _, e := range Evidences() {
		want = append(want, fmt.Sprintf("| %s | %s | %s | %s |", e.ID, e.What, e.Short, e.Scenario))
	}
	for _, term := range Glossary() {
		want = append(want, fmt.Sprintf("| %s | %s |", term.Name, term.Meaning))
	}
	for _, line := range want {
		if !strings.Contains(string(docs), line+"\n") {
			t.Errorf("docs/verdicts.md lacks\n%s", line)
		}
	}
	if got, rules := strings.Count(string(docs), "\n| V"), len(Rules()); got != rules {
		t.Errorf("docs/verdicts.md has %d rules, there are %d", got, rules)
	}
	if got, all := strings.Count(string(docs), "\n| E"), len(Evidences()); got != all {
		t.Errorf("docs/verdicts.md has %d evidences, there are %d", got, all)
	}
}
