package junit

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/internal/sample"
)

// A failure tells the first of the incidents that it is about, and counts the others.
func TestJUnitTellsWhatFailed(t *testing.T) {
	invalid := checker.Judgement{Verdict: checker.Invalid, Reason: "many\x1b"}
	v := results.TestVerdict{Test: "d.a", Result: checker.Result{Exclusion: invalid, Data: invalid, Liveness: invalid}}
	for i := range 30 {
		kind := []string{"overlap", "lost_update"}[i%2]
		v.Result.Incidents = append(v.Result.Incidents, checker.Incident{Kinds: []string{kind}})
		v.Explanations = append(v.Explanations, explain.Explanation{Number: i + 1, Text: fmt.Sprintf("<%s>\n%d", kind, i+1)})
	}
	v.Explanations[2].Text = "c1 held `x`"
	run := results.Run{
		Status: results.Complete, Drivers: []results.Driver{{Name: "d", Status: results.Complete}}, Tests: []results.Test{{Name: "d.a", Driver: "d", Status: results.Complete}},
	}
	m := report.NewModel(run, results.Verdicts{Tests: []results.TestVerdict{v}}, true, nil)
	cases := ofDriver(&m.Rows[0], "run").Cases
	told := map[string]string{}
	for _, c := range cases {
		if c.Failure != nil {
			told[strings.Fields(c.Name)[0]] = c.Failure.Body
		}
	}
	exclusion, data := "invalid\u00a0×15: many", "invalid\u00a0×15: many"
	for i := range 20 {
		switch {
		case i == 2:
			exclusion += "\nincident 3: c1 held `x`"
		case i%2 == 0:
			exclusion += fmt.Sprintf("\nincident %d: <overlap> %[1]d", i+1)
		default:
			data += fmt.Sprintf("\nincident %d: <lost_update> %[1]d", i+1)
		}
	}
	for name, want := range map[string]string{
		"exclusion": exclusion + "\nand 5 more, in verdict.json", "data": data + "\nand 5 more, in verdict.json", "liveness": "invalid: many",
	} {
		if want = strings.ReplaceAll(want, "\u00a0", " "); told[name] != want {
			t.Errorf("%s: %q, want %q", name, told[name], want)
		}
	}
}

// What is run again has the same names, and what is run otherwise has others.
func TestJUnitNames(t *testing.T) {
	round := func(n int) *report.Model {
		return report.NewModel(results.Run{Scenario: "s", Round: &results.Round{N: n, Of: 2}}, results.Verdicts{}, true, nil)
	}
	swept := report.NewModel(results.Run{Scenario: "s", Sweep: &results.Sweep{Path: "$.workload.ttl", Value: "2s"}}, results.Verdicts{}, true, nil)
	file := file([]*report.Model{round(1), round(2), round(2), swept, report.NewModel(results.Run{Scenario: "s, round 2 of 2 (2)"}, results.Verdicts{}, true, nil)})
	var names []string
	for _, s := range file.Suites {
		names = append(names, s.Name)
	}
	want := []string{
		"lockbench.s, round 1 of 2", "lockbench.s, round 2 of 2", "lockbench.s, round 2 of 2 (2)", "lockbench.s with $.workload.ttl = 2s", "lockbench.s, round 2 of 2 (2) (2)",
	}
	if !slices.Equal(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
}

// allowed is, of the schema junit-10 of Jenkins' xUnit plugin, what we may use: the children, the attributes, and those
// attributes that must be there. Others than those are refused.
var allowed = map[string]struct{ children, attributes, required string }{
	"testsuites": {"testsuite", "name time tests failures errors", ""},
	"testsuite":  {"testsuite properties testcase system-out system-err", "name tests failures errors time skipped timestamp hostname id package", "name tests failures errors"},
	"properties": {"property", "", ""},
	"property":   {"", "name value", "name value"},
	"testcase":   {"skipped error failure system-out system-err", "name time classname group", "name"},
	"failure":    {"", "type message", ""},
	"error":      {"", "type message", ""},
	"skipped":    {"", "type message", ""},
	"system-out": {"", "", ""},
}

// follows says what that schema does not allow in a file.
func follows(file []byte) error {
	d := xml.NewDecoder(bytes.NewReader(file))
	var open []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			name := e.Name.Local
			is, known := allowed[name]
			if !known || len(open) == 0 && name != "testsuites" || len(open) > 0 && !among(allowed[open[len(open)-1]].children, name) {
				return fmt.Errorf("%s in %v", name, open)
			}
			has := ""
			for _, a := range e.Attr {
				if !among(is.attributes, a.Name.Local) || a.Name.Local == "time" && !seconds3.MatchString(a.Value) {
					return fmt.Errorf("%s=%q of %s", a.Name.Local, a.Value, name)
				}
				has += " " + a.Name.Local
			}
			for _, must := range strings.Fields(is.required) {
				if !among(has, must) {
					return fmt.Errorf("%s without %s", name, must)
				}
			}
			open = append(open, name)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

var seconds3 = regexp.MustCompile(`^\d+\.\d{3}$`)

func among(words, word string) bool { return slices.Contains(strings.Fields(words), word) }

// The file of two runs is green exactly if each leads to exit code 0, and has a failure exactly if there is a
// violation that nobody expects.
func TestAFileIsGreenOnlyIfTheRunsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run, verdicts, measured := sample.Any(t)
		m := report.NewModel(run, verdicts, true, measured)
		var b bytes.Buffer
		if err := Render(&b, report.Of(m, m), report.Options{}); err != nil {
			t.Fatal(err)
		}
		file := b.Bytes()
		var all suites
		if err := xml.Unmarshal(file, &all); err != nil {
			t.Fatalf("%v: %s", err, file)
		}
		if err := follows(file); err != nil {
			t.Fatalf("Jenkins refuses it: %v\n%s", err, file)
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
				for _, said := range []*message{c.Failure, c.Error, c.Skipped} {
					if said != nil && (said.Message == "" || said.Message != report.Printable(said.Message) || !strings.HasPrefix(said.Body, said.Message)) {
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
	})
}
