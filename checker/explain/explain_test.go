package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/testkit/golden"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// TestGolden explains each history of testdata: one per kind of violation, and some that combine them.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no histories: %v", err)
	}
	for _, path := range append(paths, "../../examples/history.jsonl") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			ops, err := history.ReadAll(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			_, all := explained(t, ops)
			var b bytes.Buffer
			for _, e := range all {
				b.WriteString(e.Text + "\n")
				enc := json.NewEncoder(&b)
				for _, v := range e.Violations {
					encode(t, enc, v)
				}
				for _, f := range e.Faults {
					encode(t, enc, f)
				}
				fmt.Fprintf(&b, "%d more grants, lines %v\n", e.Others, e.Lines)
				for _, op := range e.Minimal {
					b.Write(history.AppendLine(nil, &op))
				}
			}
			golden.Compare(t, filepath.Join("testdata", strings.TrimSuffix(filepath.Base(path), ".jsonl")+".golden"), b.Bytes())
		})
	}
}

func encode(t *testing.T, enc *json.Encoder, v any) {
	t.Helper()
	must.Succeed(t, enc.Encode(v))
}

func source(ops []history.Op) Source {
	return func(yield func(int, *history.Op) error) error {
		for i := range ops {
			if err := yield(i+1, &ops[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

func explained(t interface{ Fatalf(string, ...any) }, ops []history.Op) (checker.Result, []Explanation) {
	result, err := checker.Check(ops, checker.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	all, err := Incidents(&result, source(ops), len(result.Incidents), nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if len(all) != len(result.Incidents) {
		t.Fatalf("%d explanations of %d incidents", len(all), len(result.Incidents))
	}
	return result, all
}

// TestCutOff holds that a cut of all links of a client is told of the client, however the history writes it.
func TestCutOff(t *testing.T) {
	for format, fault := range map[string]string{
		"format 2": `"step":1,"role":"holder","hosts":["c1"],"settings":{"dead-peer":"1s"}`,
		"format 1": `"value":"holder: c1; servers drop who is silent for 1s"`,
	} {
		ops, err := history.ReadAll(strings.NewReader(strings.ReplaceAll(`{"time":0,"client":"c1","process":0,"type":"invoke","f":"acquire","lock":"a","grant":1}
{"time":1000000,"client":"c1","process":0,"type":"ok","f":"acquire","lock":"a","grant":1}
{"time":2000000,"client":"nemesis","process":-1,"type":"invoke","f":"partition",FAULT}
{"time":3000000,"client":"nemesis","process":-1,"type":"ok","f":"partition",FAULT}
{"time":4000000,"client":"c2","process":1,"type":"invoke","f":"acquire","lock":"a","grant":1}
{"time":5000000,"client":"c2","process":1,"type":"ok","f":"acquire","lock":"a","grant":1}
{"time":6000000,"client":"nemesis","process":-1,"type":"invoke","f":"heal",FAULT}
{"time":7000000,"client":"c1","process":0,"type":"invoke","f":"release","lock":"a","grant":1}
{"time":8000000,"client":"c2","process":1,"type":"invoke","f":"release","lock":"a","grant":1}
`, "FAULT", fault)))
		if err != nil {
			t.Fatal(format, err)
		}
		_, all := explained(t, ops)
		const want = "c2 was granted `a` at 0.005 s while c1, granted it at 0.001 s and cut off since 0.003 s, still held it: both held it for 2.00 ms, until c1 released it at 0.007 s."
		if len(all) != 1 || all[0].Text != want || len(all[0].Faults) != 1 || all[0].Faults[0].Settings["dead-peer"] != "1s" {
			t.Errorf("%s: got %+v", format, all)
		}
	}
}
