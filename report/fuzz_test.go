package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
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
		if err := writePage(io.Discard, nil, []*Model{m, m}); err != nil {
			t.Fatal(err)
		}
		for _, f := range Formats() {
			if f == HTML {
				continue // it was written above
			}
			var b bytes.Buffer
			if err := RenderAll(&b, f, []*Model{m, m}, Options{}); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			switch f {
			case JSON:
				if !json.Valid(b.Bytes()) {
					t.Fatalf("this is no JSON: %s", &b)
				}
			case JUnit:
				checkJUnit(t, b.Bytes(), m)
			case Text, CSV, HTML, Markdown, Bench:
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

// checkJUnit holds that the file of two runs is green exactly if each leads to exit code 0, and has a failure exactly if
// there is a violation that nobody expects.
func checkJUnit(t *rapid.T, file []byte, m *Model) {
	var all junitSuites
	if err := xml.Unmarshal(file, &all); err != nil {
		t.Fatalf("%v: %s", err, file)
	}
	if green := all.Failures+all.Errors == 0; green != (m.Tally.ExitCode() == 0) {
		t.Fatalf("exit code %d, but the file is\n%s", m.Tally.ExitCode(), file)
	}
	if all.Failures != 2*m.Tally.Unexpected {
		t.Fatalf("%d failures of twice %d violations", all.Failures, m.Tally.Unexpected)
	}
	names := map[string]bool{}
	for _, s := range all.Suites {
		for _, c := range s.Cases {
			for _, said := range []*junitMessage{c.Failure, c.Error, c.Skipped} {
				if said != nil && (said.Message == "" || said.Message != printable(said.Message) || !strings.HasPrefix(said.Body, said.Message)) {
					t.Fatalf("%q is told as %q", said.Message, said.Body)
				}
			}
			if name := c.Class + " " + c.Name; names[name] {
				t.Fatalf("there are two %q", name)
			} else {
				names[name] = true
			}
		}
	}
}

var anyStatus = rapid.SampledFrom([]results.Status{"", results.Complete, results.Complete, results.Complete, results.Incomplete, results.NotRun, results.NotApplicable, results.Failed, "odd"})

// anyText holds what means something to one of the formats.
var anyText = rapid.Custom(func(t *rapid.T) string {
	odd := rapid.SampledFrom([]string{"\x00", "\x1b[31m", "\ufffe", "\xff", "\r\n", "\u202e", "]]>", "<!--", "&#0;", "<script>", "|", "`", "@all", "\\", "\"", ","})
	return strings.Join(rapid.SliceOfN(rapid.OneOf(odd, rapid.String()), 0, 3).Draw(t, "text"), "")
})

func anyRun(t *rapid.T) (results.Run, results.Verdicts, map[string]Measurement) {
	verdict := rapid.SampledFrom([]checker.Verdict{checker.NotApplicable, checker.Valid, checker.Valid, checker.Unknown, checker.Invalid})
	word := rapid.SampledFrom([]string{"", "valid", "invalid", "any"})
	run := results.Run{
		Status: anyStatus.Draw(t, "run"), Scenario: anyText.Draw(t, "scenario"), Settings: map[string]string{"acquire-timeout": "1s"},
		Tables: rapid.SliceOfDistinct(rapid.SampledFrom([]results.Table{results.Contention, results.Deadlocks, results.Leadership, results.Clocks, "odd"}), rapid.ID).Draw(t, "tables"),
	}
	var verdicts results.Verdicts
	measured := map[string]Measurement{}
	for d := range rapid.IntRange(0, 3).Draw(t, "drivers") {
		driver := results.Driver{Name: fmt.Sprint("d", d), Title: anyText.Draw(t, "title"), Status: anyStatus.Draw(t, "driver"), Reason: anyText.Draw(t, "reason")}
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
					Exclusion: checker.Judgement{Verdict: verdict.Draw(t, "exclusion"), Reason: anyText.Draw(t, "why")}, Data: checker.Judgement{Verdict: verdict.Draw(t, "data")},
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
