package compare

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/internal/sample"
	"github.com/lockbench/lockbench/report/measure"
)

// rounds are rounds of the sample.
func rounds(t *testing.T, name string, percents ...int64) *Set {
	t.Helper()
	return &Set{Path: "results/" + name, Runs: sample.Rounds(t, "results/"+name, percents...)}
}

// TestCompareSaysOnlyWhatIsKnown: nobody is slower by a single round, nor where the intervals overlap.
func TestCompareSaysOnlyWhatIsKnown(t *testing.T) {
	one, five := rounds(t, "one", 100), rounds(t, "five", 100, 102, 98, 103, 99)
	for _, tt := range []struct {
		name string
		a    *Set
		b    []int64
		want string
	}{
		{"one round each", one, []int64{300}, "No verdict on latency: each side needs 5 rounds. A has 1, B has 1."},
		{"one against five", five, []int64{300}, "No verdict on latency: each side needs 5 rounds. A has 5, B has 1."},
		{"one slow round of five", five, []int64{100, 102, 300, 300, 300}, "No difference in latency was seen."},
		{"all slower", five, []int64{200, 204, 196, 206, 198}, "Redis SETNX, uncontended p99: B is 100 % slower: 3.98 ms [3.90, 4.10] against 1.99 ms [1.95, 2.05]."},
		{"all faster", five, []int64{50, 51, 49, 52, 48}, "Redis SETNX, uncontended p99: B is 50.0 % faster: 995 µs [955 µs, 1.03 ms] against 1.99 ms [1.95, 2.05]."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := New(tt.a, rounds(t, "b", tt.b...))
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
	clean, broken := report.Finding{State: report.Valid, Complete: true}, report.Finding{State: report.Invalid, Incidents: 4, Complete: true}
	missing := report.Finding{State: report.Unknown, Missing: true, Complete: true} // judged valid, where the scenario expects a violation
	half := report.Finding{State: report.Invalid, Incidents: 1}                     // a test of it failed
	for _, tt := range []struct {
		rounds []report.Finding
		want   []string
	}{
		{[]report.Finding{broken, clean, broken, clean, clean}, []string{"INVALID in 2 of 5", "×0 [0, 4]"}},
		{[]report.Finding{broken, missing, broken, missing, missing}, []string{"INVALID in 2 of 5", "×0 [0, 4]"}},
		{[]report.Finding{broken, half, broken}, []string{"INVALID in 3 of 3", "×4 in 2 of 3"}},
		{[]report.Finding{broken, broken, half, broken, broken, broken}, []string{"INVALID in 6 of 6", "×4 in 5 of 6"}},
		{[]report.Finding{half, half}, []string{"INVALID in 2 of 2", "not counted: no round was judged completely"}},
		{[]report.Finding{clean, {State: report.Failed}}, []string{"failed in 1 of 2"}},
	} {
		var r RoundsRow
		for _, f := range tt.rounds {
			r.Rounds = append(r.Rounds, &report.Row{Heeding: f})
		}
		if got := r.ask(report.Questions()[0]).cell().Lines(); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.rounds, got, tt.want)
		}
	}
}

// There is no interval over the fast rounds alone.
func TestFewSamplesAreNoFastRound(t *testing.T) {
	s := rounds(t, "some", 100, 101, 102, 103, 104, 105)
	s.Runs[2].Rows[0].Latency = measure.Latency{}
	for range 50 {
		if err := s.Runs[2].Rows[0].Latency.Record(10 * sample.Milli); err != nil {
			t.Fatal(err)
		}
	}
	s.Runs[4].Rows[0] = report.Row{Driver: results.Driver{Status: results.NotRun, Name: s.Runs[4].Rows[0].Driver.Name}}
	r, err := NewRounds(s)
	if err != nil {
		t.Fatal(err)
	}
	p50, p99 := r.Rows[0].measure(figureOf(report.Uncontended, "p50")), r.Rows[0].measure(figureOf(report.Uncontended, "p99"))
	if p50.Rounds != 5 || !p50.HasInterval() || p99.Rounds != 4 || p99.HasInterval() {
		t.Errorf("p50 %+v, p99 %+v", p50, p99)
	}
	if d := compareTo(p50, p99); d != tooFewRounds {
		t.Errorf("compared: %v", d)
	}
}

// What failed is not clean.
func TestCompareWithWhatIsNotKnown(t *testing.T) {
	a, b := rounds(t, "a", 100), rounds(t, "b", 100)
	a.Runs[0].Rows[2].Heeding = report.Finding{State: report.Invalid, Incidents: 1, Complete: true}
	b.Runs[0].Rows[2].Heeding = report.Finding{State: report.Failed, Reason: "etcd n1 ended"}
	a.Runs[0].Rows[1].Heeding = report.Finding{State: report.Valid, Complete: true}
	c, err := New(a, b)
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(c.says(), "\n")
	for _, want := range []string{"ZooKeeper cannot be compared: not run.", "Redis Redlock, exclusion, heeding: valid in A, unknown in B (A valid in 1 of 1, B unknown in 1 of 1)."} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if want := "etcd, exclusion, heeding: violations in A, unknown in B (A INVALID in 1 of 1, B failed in 1 of 1)."; !strings.Contains(said, want) {
		t.Errorf("it does not say %q:\n%s", want, said)
	}
}

// Runs of different scenarios or settings are no rounds.
func TestRoundsOfDifferentRuns(t *testing.T) {
	for name, change := range map[string]func(*results.Run){
		"scenario (partition, other)": func(r *results.Run) { r.Scenario = "other" },
		"ttl (2s, 4s)":                func(r *results.Run) { r.Workload.TTL = 4 * time.Second },
		"rate (none, 5/s)":            func(r *results.Run) { r.Workload.Rate = 5 },
		"drivers (etcd postgres-row redis-redlock redis-setnx zookeeper, etcd)": func(r *results.Run) { r.Drivers = r.Drivers[2:3] },
		"proxies (with, without)": func(r *results.Run) { r.Direct = true },
	} {
		s := rounds(t, "set", 100, 100)
		change(&s.Runs[1].Run)
		if _, err := NewRounds(s); err == nil || !strings.HasSuffix(err.Error(), "results/set/round-1 and results/set/round-2 differ in "+name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := New(s, rounds(t, "other", 100)); err == nil {
			t.Errorf("%s: they were compared", name)
		}
	}
	copied := rounds(t, "set", 100, 100, 100)
	copied.Runs[2].Run.Seed = copied.Runs[0].Run.Seed
	if _, err := NewRounds(copied); err == nil || !strings.Contains(err.Error(), "results/set/round-1 and results/set/round-3 are the same run") {
		t.Errorf("a copy of a run: %v", err)
	}
	if _, err := NewRounds(&Set{Path: "results"}); err == nil {
		t.Error("no run is a round")
	}
}
