package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report/measure"
)

// Words says what the lock is fit for, with the rule: "correctness, … (V2)".
func (f Fit) Words() string { return f.Rule.For + " (" + f.Rule.ID + ")" }

// Headline says what the lock is fit for, in one line that a person can act on.
func (a *Answer) Headline() string {
	if a.Driver.Status != "" && a.Fits[0].Rule.Use == UseUnknown && a.Driver.Reason != "" {
		return fmt.Sprintf("%s (%s: %s)", a.Fits[0].Words(), a.Driver.Status, a.Driver.Reason)
	}
	words := make([]string, len(a.Fits))
	for i, f := range a.Fits {
		words[i] = f.Words()
	}
	text := strings.Join(words, "; and ")
	if missing := a.Missing(); len(missing) > 0 {
		text += ". Provisional, until it is seen with " + lacks(missing)
	}
	return text + "."
}

// Short says in a few words what the lock is fit for.
func (a *Answer) Short() string {
	var all []string
	for _, f := range a.Fits {
		all = append(all, f.Rule.Short)
	}
	return strings.Join(all, "; ")
}

// By names the rules behind that, and says if it is provisional.
func (a *Answer) By() string {
	var all []string
	for _, f := range a.Fits {
		all = append(all, f.Rule.ID)
	}
	if len(a.Missing()) > 0 {
		all = append(all, "provisional")
	}
	return strings.Join(all, ", ")
}

// Missing are the evidences without which the answer is provisional.
func (a *Answer) Missing() []Evidence {
	var all []Evidence
	for _, f := range a.Fits {
		all = append(all, f.Missing...) // no two rules rest on the same
	}
	return all
}

// lacks says what is missing, and which scenarios bring it about: "a late write refused (delayed-write)".
func lacks(missing []Evidence) string {
	var scenarios []string
	by := map[string][]string{}
	for _, e := range missing {
		scenarios = appendNew(scenarios, e.Scenario)
		by[e.Scenario] = append(by[e.Scenario], e.Short)
	}
	for i, name := range scenarios {
		scenarios[i] = List(by[name]) + " (" + name + ")"
	}
	return strings.Join(scenarios, ", ")
}

// State is how the answer is marked: what it is fit for is neither good nor bad, but nothing and not shown are.
func (a *Answer) State() State {
	switch a.Fits[0].Rule.Use {
	case UseNone:
		return Invalid
	case UseUnknown:
		return Unknown
	case UseIdempotent:
		return NotApplicable
	case UseFenced, UseTransaction:
	}
	if len(a.Missing()) > 0 || a.Liveness.State == Unknown || a.Liveness.State == Invalid {
		return Unknown
	}
	return Valid
}

// Safety says where two clients held the lock at once, and whether that harmed the data.
func (a *Answer) Safety() string {
	if a.Fits[0].Rule.Use == UseUnknown {
		return ""
	}
	return strings.Join(NonEmpty(a.exclusionWords(), a.dataWords(), a.livenessWords()), " ")
}

func (a *Answer) exclusionWords() string {
	ways := []struct {
		words string
		of    func(Breach) bool
	}{
		{"heeding or ignoring", func(b Breach) bool { return b.Heeding && b.Ignoring }},
		{"heeding", func(b Breach) bool { return b.Heeding && !b.Ignoring }},
		{"ignoring", func(b Breach) bool { return !b.Heeding && b.Ignoring }},
	}
	var all []string
	for _, w := range ways {
		if in := a.places(w.of); len(in) > 0 {
			all = append(all, List(in)+" ("+w.words+")")
		}
	}
	switch {
	case len(all) > 0:
		return "Two holders at once in " + List(all) + a.longest() + "."
	case held(a.Heeding) && held(a.Ignoring) && (a.Heeding.State == Valid || a.Ignoring.State == Valid):
		return "Never two holders at once" + a.under() + "."
	}
	return ""
}

// longest is how long there were two holders.
func (a *Answer) longest() string {
	if !a.Severity.Timed() {
		return ""
	}
	if a.Severity.OnlyBrief() {
		return ", for 1 ms or less each time"
	}
	return ", for " + units.Duration(a.Severity.Longest) + " at the longest"
}

// under names what was survived, or counts it.
func (a *Answer) under() string {
	const named = 4
	switch n := len(a.Held); {
	case n == 0:
		return ""
	case n <= named:
		return " under " + List(a.Held)
	default:
		return fmt.Sprintf(" under %d faults or scenarios", n)
	}
}

func (a *Answer) dataWords() string {
	unfenced := a.places(func(b Breach) bool { return b.Unfenced })
	fenced := a.places(func(b Breach) bool { return b.Fenced })
	var all []string
	switch {
	case len(unfenced) > 0:
		all = append(all, "Data corrupted without a fence in "+List(unfenced))
	case a.Unfenced.State == Valid:
		all = append(all, "No data corrupted without a fence")
	case a.Unfenced.State == Unknown:
		all = append(all, "Whether data is corrupted without a fence is unknown")
	}
	switch {
	case len(fenced) > 0:
		all = append(all, "corrupted with one in "+List(fenced))
	case a.Driver.Token == "":
		all = append(all, "no token to fence it by")
	case a.Fenced.State == Valid && len(unfenced) > 0:
		all = append(all, "never with one")
	case a.Fenced.State == Valid:
		all = append(all, "nor with one")
	}
	if len(all) == 0 {
		return ""
	}
	text := strings.Join(all, "; ")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func (a *Answer) livenessWords() string {
	if a.Liveness.State == Invalid {
		return "After a fault it was not granted in time."
	}
	return ""
}

func (a *Answer) places(of func(Breach) bool) []string {
	var all []string
	for _, b := range a.Broke {
		if of(b) {
			all = append(all, b.Place)
		}
	}
	return all
}

// Latency says what an acquire costs, alone and contended.
func (a *Answer) Latency() string {
	var all []string
	if a.Uncontended.Samples > 0 {
		all = append(all, fmt.Sprintf("%s uncontended (%s, n %d)", P99(a.Uncontended), a.Way(), a.Uncontended.Samples))
	}
	if a.Contended.Samples > 0 {
		all = append(all, fmt.Sprintf("%s contended (n %d)", P99(a.Contended), a.Contended.Samples))
	}
	return strings.Join(all, ", ")
}

// Way is how the uncontended acquires went to the servers.
func (a *Answer) Way() string {
	if a.Direct {
		return "direct"
	}
	return "through proxies"
}

// P99 is the 99th percentile or, of too few samples, the slowest.
func P99(l measure.Latency) string {
	if q := l.Quantile(0.99); q.Measured {
		return "p99 " + q.String()
	}
	return "max " + l.Max().String()
}

// Partitions says what the lock did under each fault, by what it did.
func (a *Answer) Partitions() string {
	var order []string
	by := map[string][]string{}
	for _, b := range a.Behaviours {
		if b.Absent || len(b.What) == 0 {
			continue
		}
		did := b.Did()
		if by[did] == nil {
			order = append(order, did)
		}
		by[did] = append(by[did], b.Phase)
	}
	all := make([]string, len(order))
	for i, did := range order {
		all[i] = List(by[did]) + ": " + did
	}
	return strings.Join(all, "; ")
}

// Unseen says which scenarios none of the runs has, of which locks if they differ.
func Unseen(answers []Answer) string {
	var all []string
	seen := 0
	for i := range answers {
		all = appendNew(all, answers[i].Unseen...)
		seen = max(seen, len(answers[i].Seen))
	}
	all = slices.DeleteFunc(all, func(name string) bool {
		return !slices.ContainsFunc(answers, func(a Answer) bool { return len(a.Seen) > 0 && slices.Contains(a.Unseen, name) })
	})
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return fmt.Sprintf("This is %s of %d. Not seen: %s.", units.Plural(seen, "scenario"), seen+len(all), List(all))
}
