package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

// crowded has 200 hand-offs of 1 ms in 4 s, then two deadlocks, one for the server and one for the client, and then a leader
// that stands still while a second one comes.
func crowded(t testing.TB) []history.Op {
	var b strings.Builder
	fmt.Fprintln(&b, "0 nemesis phase crowd\n 0 p1 ask x\n 1 p1 ok\n 2 p2 ask x")
	for i, at := 0, 10; i < 200; i, at = i+1, at+20 {
		from, to := 1+i%2, 2-i%2
		fmt.Fprintf(&b, "%d p%d release\n %d p%d ok\n %d p%d ask x\n", at, from, at+1, to, at+2, from)
	}
	b.WriteString(`
		4010 p1 release
		4012 p2 fail held
		4015 nemesis end crowd
		4100 p1 ask x
		4101 p1 ok
		4102 p2 ask y
		4103 p2 ok
		4110 p1 ask y
		4120 p2 ask x
		5120 p2 fail deadlock detected
		5121 p2 release y
		5122 p1 ok
		5123 p1 release y
		5124 p1 release x
		5200 p2 ask y
		5201 p2 ok
		5202 p1 ask x
		5203 p1 ok
		5210 p1 ask y
		5220 p2 ask x
		7210 p1 fail context deadline exceeded
		7211 p1 release x
		7220 p2 ok
		7221 p2 release x
		7222 p2 release y
		8000 nemesis phase leader-paused
		8000 p1 ask x
		8001 p1 ok
		8009 nemesis strike c1
		8010 nemesis struck c1
		8020 p2 ask x
		9900 p2 ok
		11000 nemesis heal c1
		11001 nemesis healed c1
		11100 p1 abandon
		12000 p2 release
		12500 nemesis end leader-paused`)
	return ops(t, b.String())
}

// tablesFixture is a run with all tables: a lock that everything happens to, one that nothing happens to, one whose history is
// malformed, and one that did not run.
func tablesFixture(t testing.TB) *Model {
	t.Helper()
	all := []results.Table{results.Contention, results.Deadlocks, results.Leadership}
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	f := fixtureBuilder{ops: map[string][]history.Op{}, run: results.Run{
		Format: results.Format, Scenario: "everything", Summary: "Shows every table.", Seed: 7, Argv: []string{"lockbench", "run"},
		Started: at, Finished: at.Add(time.Minute), Status: results.Complete, Direct: true, Tables: all,
		Settings: map[string]string{"clients": "2", "workers": "1", "acquire-timeout": "2s"},
	}}
	judged := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Invalid, Reason: "1 overlap"}, Data: checker.Judgement{Verdict: checker.Valid}, Liveness: checker.Judgement{Verdict: checker.Valid}}
	judged.Counts.Overlap = 1
	judged.Incidents = []checker.Incident{{Lock: "x", Kinds: []string{"overlap"}, Begin: 9900 * milli, End: 11100 * milli}}
	calm := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Valid}, Data: checker.Judgement{Verdict: checker.Valid}, Liveness: checker.Judgement{Verdict: checker.Valid}}
	alone := ops(t, "0 nemesis phase crowd\n 0 p1 ask x\n 9 p1 fail held\n 10 nemesis end crowd")
	malformed := ops(t, "0 nemesis phase crowd\n 0 p1 ask x\n 9 p1 fail held\n 8 p1 ask x\n 10 nemesis end crowd")
	f.driver(results.Driver{Name: "busy", Title: "Busy lock", Nodes: 1, RoundTrips: 1}, crowded(t), map[string]*checker.Result{"off.on": &judged})
	f.driver(results.Driver{Name: "calm", Title: "Calm lock", Nodes: 1, RoundTrips: 1}, alone, map[string]*checker.Result{"off.on": &calm})
	f.driver(results.Driver{Name: "broken", Title: "Lock with a broken history", Nodes: 1, RoundTrips: 1}, malformed, map[string]*checker.Result{"off.on": &calm})
	f.driver(results.Driver{Name: "absent", Title: "Absent lock", Nodes: 1, RoundTrips: 1, Status: results.NotRun, Reason: "install <b>it</b>\x1b[31m"}, nil, nil)
	measured := map[string]Measurement{}
	for i := range f.run.Tests {
		test := &f.run.Tests[i]
		test.Phases = nil
		if f.ops[test.Name] == nil {
			continue
		}
		m, err := Measure(&f.run, test, f.ops[test.Name], verdictOn(f.verdicts, test.Name))
		if err != nil {
			t.Fatal(err)
		}
		measured[test.Name] = m
	}
	return NewModel(f.run, f.verdicts, true, measured)
}

func TestARunShowsOnlyItsTables(t *testing.T) {
	run, verdicts, all := fixtureRun()
	for _, tables := range [][]results.Table{nil, {results.Deadlocks}, {results.Leadership, results.Contention, "of another version"}} {
		run.Tables = tables
		measured := map[string]Measurement{}
		for i := range run.Tests {
			m, err := Measure(&run, &run.Tests[i], all[run.Tests[i].Name], nil)
			if err != nil {
				t.Fatal(err)
			}
			measured[run.Tests[i].Name] = m
		}
		m := NewModel(run, verdicts, true, measured)
		text, page := render(t, Text, m), render(t, HTML, m)
		for id, title := range map[results.Table]string{results.Contention: "Contention", results.Deadlocks: "Deadlocks", results.Leadership: "Leadership"} {
			if got := strings.Contains(text, "\n"+title+"\n"); got != run.Shows(id) {
				t.Errorf("tables %v: %s in the text: %v", tables, title, got)
			}
			if got := strings.Contains(page, `<h2 id="`+string(id)+`">`+title+`</h2>`); got != run.Shows(id) {
				t.Errorf("tables %v: %s on the page: %v", tables, title, got)
			}
		}
	}
}

func TestTheTablesOfTheFixture(t *testing.T) {
	m := tablesFixture(t)
	busy := &m.Rows[0]
	c, d, l := &busy.Contention, &busy.Deadlocks, &busy.Leadership
	if c.Grants != 201 || c.NotGranted != 1 {
		t.Errorf("%+v", c)
	}
	if busy.HandOff.Samples != 200 || busy.HandOff.Max().D != time.Millisecond {
		t.Errorf("%+v", busy.HandOff)
	}
	if d.Count != 2 || d.Server != 1 || d.TimedOut != 1 || d.Lasted.Max().D != 1990*time.Millisecond {
		t.Errorf("%+v", d)
	}
	if l.Both.D != 1200*time.Millisecond || l.Slowest().D != 1890*time.Millisecond {
		t.Errorf("%+v", l)
	}
}
