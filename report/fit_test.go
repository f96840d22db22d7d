package report

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/results"
)

func TestFits(t *testing.T) {
	valid, invalid, unknown := Finding{State: Valid}, Finding{State: Invalid}, Finding{State: Unknown}
	notAsked, all := Finding{State: NotRun, NotAsked: true}, []string{"client-pause", "delayed-write", "partition", "in-transaction"}
	token := results.Driver{Token: "revision"}
	for _, tt := range []struct {
		name   string
		answer Answer
		rules  string
		lacks  []string
	}{
		{"token, fence held everywhere", Answer{Driver: token, Heeding: invalid, Unfenced: invalid, Fenced: valid, Seen: all}, "V2", nil},
		{"token, fence held in one scenario", Answer{Driver: token, Heeding: valid, Fenced: valid, Seen: all[:1]}, "V2", all[1:3]},
		{"token, fence failed", Answer{Driver: token, Heeding: valid, Unfenced: valid, Fenced: invalid, InTransaction: valid, Seen: all}, "V1", nil},
		{"token, fence not asked for", Answer{Driver: token, Heeding: valid, Unfenced: valid, Fenced: notAsked, Seen: all}, "V4", nil},
		{"token, fence unknown", Answer{Driver: token, Heeding: valid, Fenced: unknown, Seen: all}, "V4", nil},
		{"no token, broke", Answer{Heeding: valid, Ignoring: invalid, Unfenced: invalid, Fenced: Finding{State: NotApplicable}, Seen: all}, "V4", nil},
		{"no token, never broke", Answer{Heeding: valid, Ignoring: valid, Unfenced: valid, Seen: all}, "V4", nil},
		{"own transaction", Answer{InTransaction: valid, Seen: all[3:]}, "V3", nil},
		{"token and own transaction", Answer{Driver: token, Fenced: valid, InTransaction: valid, Seen: all}, "V2 V3", nil},
		{"own transaction broke", Answer{Heeding: valid, InTransaction: invalid, Seen: all}, "V4", nil},
		{"nothing judged", Answer{Driver: token, Heeding: unknown, Ignoring: notAsked, Unfenced: unknown, Fenced: unknown}, "V5", nil},
		{"not run", Answer{Driver: token, Heeding: Finding{State: NotRun}, Fenced: Finding{State: NotRun}}, "V5", nil},
		{"failed", Answer{Driver: token, Heeding: Finding{State: Failed}, Fenced: Finding{State: Failed}}, "V5", nil},
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
		if got := a.Missing(); !slices.Equal(got, tt.lacks) {
			t.Errorf("%s: lacks %v, want %v", tt.name, got, tt.lacks)
		}
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
		needs := strings.Join(r.Needs, ", ")
		if needs == "" {
			needs = "–"
		}
		want = append(want, fmt.Sprintf("| %s | %s | %s | %s |", r.ID, r.When, r.For, needs))
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
}
