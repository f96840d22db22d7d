package sample

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report/measure"
)

var anyStatus = rapid.SampledFrom([]results.Status{"", results.Complete, results.Complete, results.Complete, results.Incomplete, results.NotRun, results.NotApplicable, results.Failed, "odd"})

// anyText holds what means something to one of the formats.
var anyText = rapid.Custom(func(t *rapid.T) string {
	odd := rapid.SampledFrom([]string{"\x00", "\x1b[31m", "\ufffe", "\xff", "\r\n", "\u202e", "]]>", "<!--", "&#0;", "<script>", "|", "`", "@all", "\\", "\"", ","})
	return strings.Join(rapid.SliceOfN(rapid.OneOf(odd, rapid.String()), 0, 3).Draw(t, "text"), "")
})

// Any is a run that no lockbench wrote.
func Any(t *rapid.T) (results.Run, results.Verdicts, map[string]measure.Measurement) {
	verdict := rapid.SampledFrom([]checker.Verdict{checker.NotApplicable, checker.Valid, checker.Valid, checker.Unknown, checker.Invalid})
	word := rapid.SampledFrom([]string{"", "valid", "invalid", "any"})
	run := results.Run{
		Status: anyStatus.Draw(t, "run"), Scenario: anyText.Draw(t, "scenario"), Workload: results.Workload{AcquireTimeout: time.Second},
		Plan:   []results.PlannedPhase{{Name: "a", Latency: true}, {Name: "b", Faults: []results.PlannedFault{{Name: "partition"}}}},
		Tables: rapid.SliceOfDistinct(rapid.SampledFrom([]results.Table{results.Contention, results.Deadlocks, results.Leadership, results.Clocks, "odd"}), rapid.ID).Draw(t, "tables"),
	}
	var verdicts results.Verdicts
	measured := map[string]measure.Measurement{}
	for d := range rapid.IntRange(0, 3).Draw(t, "drivers") {
		driver := results.Driver{Name: fmt.Sprint("d", d), Title: anyText.Draw(t, "title"), Status: anyStatus.Draw(t, "driver"), Reason: anyText.Draw(t, "reason")}
		if rapid.Bool().Draw(t, "token") {
			driver.Token = "token"
		}
		run.Drivers = append(run.Drivers, driver)
		for i := range rapid.IntRange(0, 4).Draw(t, "tests") {
			test := results.Test{
				Name: fmt.Sprintf("%s.%d", driver.Name, i), Driver: driver.Name, Fenced: i&1 > 0, Heeding: i&2 > 0, Status: anyStatus.Draw(t, "test"),
				Phases: []results.Phase{{Name: "a", Status: anyStatus.Draw(t, "a")}, {Name: "b", Status: anyStatus.Draw(t, "b")}},
				Expect: &results.Expect{Exclusion: word.Draw(t, "expect"), Data: word.Draw(t, "expect")},
			}
			run.Tests = append(run.Tests, test)
			if rapid.Bool().Draw(t, "judged") {
				verdicts.Tests = append(verdicts.Tests, results.TestVerdict{Test: test.Name, Result: checker.Result{
					Exclusion: checker.Judgement{Verdict: verdict.Draw(t, "exclusion"), Reason: anyText.Draw(t, "why")}, Data: checker.Judgement{Verdict: verdict.Draw(t, "data")},
					Liveness:  checker.Judgement{Verdict: verdict.Draw(t, "liveness")},
					Incidents: []checker.Incident{{Kinds: []string{"overlap"}, Begin: rapid.Int64().Draw(t, "begin"), Grants: make([]checker.GrantID, 9)}},
				}})
			}
			m, err := measure.Test(&run, &test, measure.Ops(anyOps(t)), verdicts.On(test.Name))
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
			Phase:   rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "phase"),
			Fault:   rapid.SampledFrom([]*history.Fault{nil, {Step: 1, Role: "a"}, {Step: 2, Hosts: []string{"b"}}}).Draw(t, "faulted"),
			Grant:   rapid.Int64Range(0, 3).Draw(t, "grant"), Intended: rapid.Int64Range(0, 60).Draw(t, "intended"),
		}
	}), 0, 40).Draw(t, "ops")
}
