package formats_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/formats"
	"github.com/lockbench/lockbench/report/internal/sample"
)

// TestAnythingRenders feeds histories and runs that no lockbench wrote: none may panic or come out safe by accident.
func TestAnythingRenders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run, verdicts, measured := sample.Any(t)
		m := report.NewModel(run, verdicts, true, measured)
		for _, f := range formats.All() {
			var b bytes.Buffer
			if err := f.Render(&b, report.Of(m, m), report.Options{}); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			if f.Name == "json" && !json.Valid(b.Bytes()) {
				t.Fatalf("this is no JSON: %s", &b)
			}
		}
		if m.Tally != report.Outcome(run, verdicts) {
			t.Fatalf("the table counts %+v, the outcome is %+v", m.Tally, report.Outcome(run, verdicts))
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
