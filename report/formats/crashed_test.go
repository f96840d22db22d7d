package formats_test

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/formats"
	"github.com/lockbench/lockbench/report/internal/sample"
)

// TestACrashedRunIsOneThingInAllFormats kills the run of the fixture after its tests were judged: run.json calls its
// drivers and tests "not run", and their histories and verdicts say what happened.
func TestACrashedRunIsOneThingInAllFormats(t *testing.T) {
	dir, run, verdicts := sample.Saved(t)
	run.Status, run.Reason, run.Finished = results.Incomplete, "", time.Time{}
	for i := range run.Drivers {
		if d := &run.Drivers[i]; d.Status == results.Complete {
			d.Status, d.Reason = results.NotRun, ""
		}
	}
	for i := range run.Tests {
		if test := &run.Tests[i]; test.Status == results.Complete {
			test.Status, test.Reason = results.NotRun, ""
		}
	}
	run.Drivers = append(run.Drivers, results.Driver{Name: "later", Title: "Later", Status: results.NotRun})
	must.Succeed(t, dir.WriteRun(&run))
	must.Succeed(t, dir.WriteVerdicts(&verdicts))
	m, err := report.Build(string(dir))
	if err != nil {
		t.Fatal(err)
	}
	broken := 0
	for _, r := range m.Rows {
		if r.Tally.Unexpected+r.Tally.Expected == 0 {
			continue
		}
		broken++
		cells := []report.State{r.Heeding.State, r.Ignoring.State, r.Unfenced.State, r.Fenced.State, r.Liveness.State}
		if r.Driver.Status != results.Incomplete || r.Driver.Reason == "" || !slices.Contains(cells, report.Invalid) {
			t.Errorf("%s is %s, and its cells say %q", r.Driver.Name, r.Driver.Status, cells)
		}
	}
	if broken == 0 || m.Tally.Valid > 0 {
		t.Errorf("%d locks broke, %d verdicts are valid", broken, m.Tally.Valid)
	}
	for _, f := range formats.All() {
		if f.Name == "bench" {
			continue // it has no verdicts
		}
		out := sample.Render(t, f.Render, m)
		if strings.Contains(out, "no reason was recorded") {
			t.Errorf("%s: no reason was recorded", f.Name)
		}
		if f.Name != "junit" && strings.Count(strings.ToLower(out), "invalid") < broken {
			t.Errorf("%s does not tell what was found:\n%s", f.Name, out)
		}
	}
	wantSame(t, m)
}

// wantSame wants the formats for programs to count what the model does.
func wantSame(t *testing.T, m *report.Model) {
	t.Helper()
	var suites struct {
		Failures int    `xml:"failures,attr"`
		Time     string `xml:"time,attr"`
	}
	must.Succeed(t, xml.Unmarshal([]byte(render(t, "junit", m)), &suites))
	if suites.Failures != m.Tally.Unexpected || suites.Time != "0.000" {
		t.Errorf("JUnit has %d failures in %s s, the run %d", suites.Failures, suites.Time, m.Tally.Unexpected)
	}
	var doc struct {
		Runs []struct {
			Exit    int
			Drivers []struct{ Name, Status string }
		}
	}
	must.Succeed(t, json.Unmarshal([]byte(render(t, "json", m)), &doc))
	records, err := csv.NewReader(strings.NewReader(render(t, "csv", m))).ReadAll()
	if err != nil || len(records) != len(m.Rows)+1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, r := range m.Rows {
		inJSON, inCSV := doc.Runs[0].Drivers[i].Status, records[i+1][5]
		if want := string(r.Driver.Status); inJSON != want || inCSV != want || records[0][5] != "status" {
			t.Errorf("%s is %s, in JSON %s, in CSV %s", r.Driver.Name, want, inJSON, inCSV)
		}
	}
	if doc.Runs[0].Exit != m.Tally.ExitCode() {
		t.Errorf("exit %d, want %d", doc.Runs[0].Exit, m.Tally.ExitCode())
	}
}

// TestACrashBeforeAnythingBegan has a reason for each driver, and none that is not known.
func TestACrashBeforeAnythingBegan(t *testing.T) {
	dir := t.TempDir()
	text := `{"format": 1, "scenario": "partition", "status": "incomplete",
		"drivers": [{"name": "etcd", "title": "etcd", "status": "not run"}], "tests": [{"name": "etcd.1", "driver": "etcd", "status": "not run"}]}`
	must.Succeed(t, os.WriteFile(results.Dir(dir).File(results.RunFile), []byte(text), 0o600))
	m, err := report.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range formats.All() {
		if f.Name == "bench" {
			continue // it has no verdicts
		}
		if out := strings.Join(strings.Fields(sample.Render(t, f.Render, m)), " "); !strings.Contains(out, "the run ended before it began") || strings.Contains(out, "no reason was recorded") {
			t.Errorf("%s:\n%s", f.Name, out)
		}
	}
}

func render(t *testing.T, name string, m *report.Model) string {
	t.Helper()
	f, err := formats.Find(name, formats.All())
	if err != nil {
		t.Fatal(err)
	}
	return sample.Render(t, f.Render, m)
}
