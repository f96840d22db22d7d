package report

import (
	"bytes"
	"fmt"
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
	five.Runs[1].Rows[2].Heeding = Finding{State: Invalid, Incidents: 3}
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
		m.Rows[2].Heeding = Finding{State: Invalid, Incidents: 2}
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

// Runs of different scenarios or settings are no rounds.
func TestRoundsOfDifferentRuns(t *testing.T) {
	for name, change := range map[string]func(*results.Run){
		"scenario (partition, other)": func(r *results.Run) { r.Scenario = "other" },
		"ttl (2s, 4s)":                func(r *results.Run) { r.Settings["ttl"] = "4s" },
		"rate (none, 5/s)":            func(r *results.Run) { r.Settings["rate"] = "5/s" },
		"proxies (with, without)":     func(r *results.Run) { r.Direct = true },
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
