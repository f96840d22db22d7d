package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/results"
)

// roundsFixture is as many rounds of the fixture as there are numbers: in each, the first lock's acquires take so many percent
// of what they take in the fixture.
func roundsFixture(t *testing.T, name string, percents ...int64) *Set {
	t.Helper()
	s := &Set{Path: "results/" + name}
	for i, percent := range percents {
		m := fixture(t)
		m.Dir = fmt.Sprintf("%s/round-%d", s.Path, i+1)
		m.Run.Seed, m.Run.Round = uint64(i), &results.Round{N: i + 1, Of: len(percents)}
		m.Rows[0].Latency = Latency{}
		for k := range int64(1000) {
			if err := m.Rows[0].Latency.record((1000 + k) * micro * percent / 100); err != nil {
				t.Fatal(err)
			}
		}
		s.Runs = append(s.Runs, m)
	}
	return s
}

func document(t *testing.T, f Format, d *Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := RenderDocument(&b, f, d, Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRounds(t *testing.T) {
	five := roundsFixture(t, "five", 100, 102, 98, 103, 99)
	five.Runs[1].Rows[2].Heeding = Finding{State: Invalid, Incidents: 3, Complete: true}
	five.Runs[3].Run.Version = "v0.2.0"
	five.Runs[4].Run.Status = results.Incomplete
	r, err := NewRounds(five)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "rounds.txt", document(t, Text, r.Document()))
	golden(t, "rounds.html", document(t, HTML, r.Document()))
	golden(t, "rounds.csv", document(t, CSV, r.Document()))
}

func TestCompare(t *testing.T) {
	a, b := roundsFixture(t, "a", 100, 102, 98, 103, 99), roundsFixture(t, "b", 140, 142, 138, 143, 139)
	for _, m := range b.Runs {
		m.Run.Settings["ttl"], m.Run.Commit, m.Run.Direct = "4s", "4567def", true
		m.Rows[2].Heeding = Finding{State: Invalid, Incidents: 2, Complete: true}
		m.Rows = append(m.Rows[:1:1], m.Rows[2:]...)
	}
	c, err := Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.txt", document(t, Text, c.Document()))
	golden(t, "compare.csv", document(t, CSV, c.Document()))
	golden(t, "compare.md", document(t, Markdown, c.Document()))
	golden(t, "compare.json", document(t, JSON, c.Document()))
}

// TestCompareSaysOnlyWhatIsKnown: nobody is slower by a single round, nor where the intervals overlap.
func TestCompareSaysOnlyWhatIsKnown(t *testing.T) {
	one, five := roundsFixture(t, "one", 100), roundsFixture(t, "five", 100, 102, 98, 103, 99)
	for _, tt := range []struct {
		name string
		a    *Set
		b    []int64
		want string
	}{
		{"one round each", one, []int64{300}, "No verdict on latency: it takes 5 rounds on each side, and A has 1, B 1."},
		{"one against five", five, []int64{300}, "No verdict on latency: it takes 5 rounds on each side, and A has 5, B 1."},
		{"one slow round of five", five, []int64{100, 102, 300, 300, 300}, "No difference in latency was seen."},
		{"all slower", five, []int64{200, 204, 196, 206, 198}, "Redis SETNX, uncontended p99: B is 100 % slower: 3.98 ms [3.90, 4.10] against 1.99 ms [1.95, 2.05]."},
		{"all faster", five, []int64{50, 51, 49, 52, 48}, "Redis SETNX, uncontended p99: B is 50.0 % faster: 995 µs [955 µs, 1.03 ms] against 1.99 ms [1.95, 2.05]."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Compare(tt.a, roundsFixture(t, "b", tt.b...))
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Join(c.says(), "\n")
			if !strings.Contains(said, tt.want) {
				t.Errorf("it does not say %q:\n%s", tt.want, said)
			}
			for _, word := range []string{"slower", "faster"} {
				if strings.Contains(said, word) != strings.Contains(tt.want, word) {
					t.Errorf("it should not say %q:\n%s", word, said)
				}
			}
		})
	}
}

// A round counts if it is known whether it had incidents, and only then.
func TestIncidentsOfRounds(t *testing.T) {
	clean, broken := Finding{State: Valid, Complete: true}, Finding{State: Invalid, Incidents: 4, Complete: true}
	missing := Finding{State: Unknown, Missing: true, Complete: true} // judged valid, where the scenario expects a violation
	half := Finding{State: Invalid, Incidents: 1}                     // a test of it failed
	for _, tt := range []struct {
		rounds []Finding
		want   []string
	}{
		{[]Finding{broken, clean, broken, clean, clean}, []string{"INVALID in 2 of 5", "×0 [0, 4]"}},
		{[]Finding{broken, missing, broken, missing, missing}, []string{"INVALID in 2 of 5", "×0 [0, 4]"}},
		{[]Finding{broken, half, broken}, []string{"INVALID in 3 of 3", "×4 in 2 of 3"}},
		{[]Finding{broken, broken, half, broken, broken, broken}, []string{"INVALID in 6 of 6", "×4 in 5 of 6"}},
		{[]Finding{half, half}, []string{"INVALID in 2 of 2", "not counted: no round was judged as a whole"}},
		{[]Finding{clean, {State: Failed}}, []string{"failed in 1 of 2"}},
	} {
		var r RoundsRow
		for _, f := range tt.rounds {
			r.Rounds = append(r.Rounds, &Row{Heeding: f})
		}
		if got := r.ask(questions()[0]).cell().texts(); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.rounds, got, tt.want)
		}
	}
}

// There is no interval over the fast rounds alone.
func TestFewSamplesAreNoFastRound(t *testing.T) {
	s := roundsFixture(t, "some", 100, 101, 102, 103, 104, 105)
	s.Runs[2].Rows[0].Latency = Latency{}
	for range 50 {
		if err := s.Runs[2].Rows[0].Latency.record(10 * milli); err != nil {
			t.Fatal(err)
		}
	}
	s.Runs[4].Rows[0] = Row{Driver: results.Driver{Status: results.NotRun, Name: s.Runs[4].Rows[0].Driver.Name}}
	r, err := NewRounds(s)
	if err != nil {
		t.Fatal(err)
	}
	p50, p99 := r.Rows[0].measure(figureOf("Uncontended", "p50")), r.Rows[0].measure(figureOf("Uncontended", "p99"))
	if p50.Rounds != 5 || !p50.HasInterval() || p99.Rounds != 4 || p99.HasInterval() {
		t.Errorf("p50 %+v, p99 %+v", p50, p99)
	}
	if d := p50.compareTo(p99); d != tooFewRounds {
		t.Errorf("compared: %v", d)
	}
}

// What failed is not clean.
func TestCompareWithWhatIsNotKnown(t *testing.T) {
	a, b := roundsFixture(t, "a", 100), roundsFixture(t, "b", 100)
	a.Runs[0].Rows[2].Heeding = Finding{State: Invalid, Incidents: 1, Complete: true}
	b.Runs[0].Rows[2].Heeding = Finding{State: Failed, Reason: "etcd n1 ended"}
	a.Runs[0].Rows[1].Heeding = Finding{State: Valid, Complete: true}
	c, err := Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(c.says(), "\n")
	for _, want := range []string{"ZooKeeper cannot be compared: not run.", "Redis Redlock, exclusion, heeding: valid in A, and B does not tell (A valid in 1 of 1, B unknown in 1 of 1)."} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if want := "etcd, exclusion, heeding: violations in A, and B does not tell (A INVALID in 1 of 1, B failed in 1 of 1)."; !strings.Contains(said, want) {
		t.Errorf("it does not say %q:\n%s", want, said)
	}
}

// Runs of different scenarios or settings are no rounds.
func TestRoundsOfDifferentRuns(t *testing.T) {
	for name, change := range map[string]func(*results.Run){
		"scenario (partition, other)": func(r *results.Run) { r.Scenario = "other" },
		"ttl (2s, 4s)":                func(r *results.Run) { r.Settings["ttl"] = "4s" },
		"rate (none, 5/s)":            func(r *results.Run) { r.Settings["rate"] = "5/s" },
		"drivers (etcd postgres-row redis-redlock redis-setnx zookeeper, etcd)": func(r *results.Run) { r.Drivers = r.Drivers[2:3] },
		"proxies (with, without)": func(r *results.Run) { r.Direct = true },
	} {
		s := roundsFixture(t, "set", 100, 100)
		change(&s.Runs[1].Run)
		if _, err := NewRounds(s); err == nil || !strings.HasSuffix(err.Error(), "results/set/round-1 and results/set/round-2 differ in "+name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Compare(s, roundsFixture(t, "other", 100)); err == nil {
			t.Errorf("%s: they were compared", name)
		}
	}
	copied := roundsFixture(t, "set", 100, 100, 100)
	copied.Runs[2].Run.Seed = copied.Runs[0].Run.Seed
	if _, err := NewRounds(copied); err == nil || !strings.Contains(err.Error(), "results/set/round-1 and results/set/round-3 are the same run") {
		t.Errorf("a copy of a run: %v", err)
	}
	if _, err := NewRounds(&Set{Path: "results"}); err == nil {
		t.Error("no run is a round")
	}
}
