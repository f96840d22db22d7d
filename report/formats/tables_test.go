package formats_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/html"
	"github.com/lockbench/lockbench/report/internal/sample"
	"github.com/lockbench/lockbench/report/measure"
	"github.com/lockbench/lockbench/report/text"
)

func TestARunShowsOnlyItsTables(t *testing.T) {
	run, verdicts, all := sample.Raw()
	for _, tables := range [][]results.Table{nil, {results.Deadlocks}, {results.Leadership, results.Contention, "of another version"}} {
		run.Tables = tables
		measured := map[string]measure.Measurement{}
		for i := range run.Tests {
			m, err := measure.Test(&run, &run.Tests[i], measure.Ops(all[run.Tests[i].Name]), nil)
			if err != nil {
				t.Fatal(err)
			}
			measured[run.Tests[i].Name] = m
		}
		m := report.NewModel(run, verdicts, true, measured)
		text, page := sample.Render(t, text.Render, m), sample.Render(t, html.Render, m)
		for id, title := range map[results.Table]string{results.Contention: "Contention", results.Deadlocks: "Deadlocks", results.Leadership: "Leadership"} {
			if got := strings.Contains(text, "\n"+title+"\n"); got != run.Shows(id) {
				t.Errorf("tables %v: %s in the text: %v", tables, title, got)
			}
			if got := strings.Contains(page, `<h2 id="`+string(id)+`-title">`+title+`</h2>`); got != run.Shows(id) {
				t.Errorf("tables %v: %s on the page: %v", tables, title, got)
			}
		}
	}
}

func TestTheTablesOfTheFixture(t *testing.T) {
	m := sample.Tables(t)
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

// A kind that has nothing says why, whatever became of the driver.
func TestNoKindIsBlank(t *testing.T) {
	empty := results.Run{Drivers: []results.Driver{{Name: "a", Status: results.Complete}}, Tests: []results.Test{{Name: "a.1", Driver: "a"}}}
	nothing, err := measure.Test(&empty, &empty.Tests[0], measure.Ops(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*report.Model{
		sample.Run(t), sample.Tables(t), report.NewModel(empty, results.Verdicts{}, false, nil),
		report.NewModel(empty, results.Verdicts{}, false, map[string]measure.Measurement{"a.1": nothing}),
	} {
		for n, k := range report.Kinds() {
			if m.Tables[0].ID == results.Severity {
				n++
			}
			table := m.Tables[n]
			if table.ID != "latency-"+results.Table(k) || len(table.Lines) != len(m.Rows) {
				t.Fatalf("%s with %d lines", table.Title, len(table.Lines))
			}
			for i, line := range table.Lines {
				if l := m.Rows[i].Of(k); l.Samples == 0 && (l.Reason == "" || line.Reason == "") {
					t.Errorf("%s, %s: there is no reason", line.Driver.Name, k)
				}
				if n := len(line.Cells); n != len(table.Columns) && (n > 0 || line.Reason == "") {
					t.Errorf("%s, %s: %d cells, reason %q", line.Driver.Name, k, n, line.Reason)
				}
				for _, c := range line.Cells {
					if len(c) != 1 || c[0].Text() == "" {
						t.Errorf("%s, %s: %q", line.Driver.Name, k, c)
					}
				}
			}
		}
	}
}

// The proxies' part stands in the cell of what it is a part of.
func TestProxiesAreStated(t *testing.T) {
	for _, direct := range []bool{false, true} {
		run, verdicts, all := sample.Raw()
		run.Direct = direct
		measured := map[string]measure.Measurement{}
		for i := range run.Tests {
			m, err := measure.Test(&run, &run.Tests[i], measure.Ops(all[run.Tests[i].Name]), nil)
			if err != nil {
				t.Fatal(err)
			}
			measured[run.Tests[i].Name] = m
		}
		out := sample.Render(t, text.Render, report.NewModel(run, verdicts, true, measured))
		if strings.Contains(out, "  none\n") != direct || strings.Contains(out, "27.0 µs, 6.00 %\n") == direct {
			t.Errorf("direct %v:\n%s", direct, out)
		}
	}
}
