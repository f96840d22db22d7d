package report

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

// TestAnythingRenders feeds histories and runs that no lockbench wrote: none may panic or come out safe by accident.
func TestAnythingRenders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run, verdicts, measured := anyRun(t)
		m := NewModel(run, verdicts, true, measured)
		if err := RenderPage(io.Discard, []*Model{m, m}); err != nil {
			t.Fatal(err)
		}
		for _, f := range []Format{Text, CSV} {
			var b bytes.Buffer
			if err := Render(&b, f, m, Options{}); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
		}
		if m.Tally != Outcome(run, verdicts) {
			t.Fatalf("the table counts %+v, the outcome is %+v", m.Tally, Outcome(run, verdicts))
		}
		if m.Tally.ExitCode() != 0 {
			return
		}
		for _, r := range m.Rows {
			if s := r.Driver.Status; s != results.NotApplicable && r.Tally.Valid+r.Tally.Expected == 0 || s == results.Incomplete {
				t.Fatalf("exit code 0, but driver %s is %q and nothing is known of it", r.Driver.Name, s)
			}
		}
		for _, test := range run.Tests {
			if test.Status != results.Complete && test.Status != results.NotApplicable {
				t.Fatalf("exit code 0, but test %s is %q", test.Name, test.Status)
			}
		}
	})
}

var anyStatus = rapid.SampledFrom([]results.Status{"", results.Complete, results.Complete, results.Complete, results.Incomplete, results.NotRun, results.NotApplicable, results.Failed, "odd"})

func anyRun(t *rapid.T) (results.Run, results.Verdicts, map[string]Measurement) {
	verdict := rapid.SampledFrom([]checker.Verdict{checker.NotApplicable, checker.Valid, checker.Valid, checker.Unknown, checker.Invalid})
	word := rapid.SampledFrom([]string{"", "valid", "invalid", "any"})
	run := results.Run{
		Status: anyStatus.Draw(t, "run"), Scenario: rapid.String().Draw(t, "scenario"), Settings: map[string]string{"acquire-timeout": "1s"},
		Tables: rapid.SliceOfDistinct(rapid.SampledFrom([]results.Table{results.Contention, results.Deadlocks, results.Leadership, results.Clocks, "odd"}), rapid.ID).Draw(t, "tables"),
	}
	var verdicts results.Verdicts
	measured := map[string]Measurement{}
	for d := range rapid.IntRange(0, 3).Draw(t, "drivers") {
		driver := results.Driver{Name: fmt.Sprint("d", d), Title: rapid.String().Draw(t, "title"), Status: anyStatus.Draw(t, "driver"), Reason: rapid.String().Draw(t, "reason")}
		if rapid.Bool().Draw(t, "token") {
			driver.Token = "token"
		}
		run.Drivers = append(run.Drivers, driver)
		for i := range rapid.IntRange(0, 4).Draw(t, "tests") {
			test := results.Test{
				Name: fmt.Sprintf("%s.%d", driver.Name, i), Driver: driver.Name, Fencing: i&1 > 0, HeedLost: i&2 > 0, Status: anyStatus.Draw(t, "test"),
				Phases: []results.Phase{{Name: "a", Latency: true, Status: anyStatus.Draw(t, "a")}, {Name: "b", Fault: "partition", Status: anyStatus.Draw(t, "b")}},
				Expect: &results.Expect{Exclusion: word.Draw(t, "expect"), Data: word.Draw(t, "expect")},
			}
			run.Tests = append(run.Tests, test)
			if rapid.Bool().Draw(t, "judged") {
				verdicts.Tests = append(verdicts.Tests, results.TestVerdict{Test: test.Name, Result: checker.Result{
					Exclusion: checker.Judgement{Verdict: verdict.Draw(t, "exclusion")}, Data: checker.Judgement{Verdict: verdict.Draw(t, "data")},
					Liveness:  checker.Judgement{Verdict: verdict.Draw(t, "liveness")},
					Incidents: []checker.Incident{{Kinds: []string{"overlap"}, Begin: rapid.Int64().Draw(t, "begin"), Grants: make([]checker.GrantID, 9)}},
				}})
			}
			m, err := Measure(&run, &test, anyOps(t), verdictOn(verdicts, test.Name))
			if err != nil {
				t.Fatal(err)
			}
			measured[test.Name] = m
		}
	}
	return run, verdicts, measured
}

func anyOps(t *rapid.T) []history.Op {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) history.Op {
		return history.Op{
			Time:    rapid.Int64Range(-5, 50).Draw(t, "time"),
			Process: rapid.Int64Range(-1, 2).Draw(t, "process"),
			Type:    rapid.SampledFrom([]history.Type{history.Invoke, history.OK, history.Fail, history.Info, "odd"}).Draw(t, "type"),
			F:       rapid.SampledFrom([]string{history.Phase, history.Heal, history.Kill, "partition", history.Acquire, history.Acquire}).Draw(t, "f"),
			Value:   rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "value"),
			Grant:   rapid.Int64Range(0, 3).Draw(t, "grant"), Intended: rapid.Int64Range(0, 60).Draw(t, "intended"),
		}
	}), 0, 40).Draw(t, "ops")
}
