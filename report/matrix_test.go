package report

import (
	"slices"
	"testing"

	"github.com/lockbench/lockbench/internal/results"
)

func TestMatrix(t *testing.T) {
	valid, invalid, unknown := Finding{State: Valid}, Finding{State: Invalid}, Finding{State: Unknown}
	none := Finding{State: NotApplicable, NoToken: true}
	run := func(scenario string, rows ...Row) *Model {
		return &Model{Run: results.Run{Scenario: scenario}, Rows: rows}
	}
	row := func(name string, unfenced, fenced Finding) Row {
		return Row{Driver: results.Driver{Name: name, Title: name}, Unfenced: unfenced, Fenced: fenced}
	}
	a := run("partition", row("etcd", invalid, valid), row("redis", invalid, none))
	b := run("client-pause", row("etcd", valid, unknown))
	again := run("partition", row("etcd", valid, invalid), row("late", valid, Finding{State: NotRun, NotAsked: true}))
	for _, tt := range []struct {
		name  string
		runs  []*Model
		lines []string
	}{
		{"one run", []*Model{a}, nil},
		{"one scenario twice", []*Model{a, again}, nil},
		{"two", []*Model{a, b}, []string{"etcd: corrupted/right right/not judged", "redis: corrupted/not applicable –"}},
		{"the worst of several runs", []*Model{a, b, again}, []string{
			"etcd: corrupted/corrupted right/not judged", "redis: corrupted/not applicable –", "late: right/not judged –",
		}},
	} {
		m := NewMatrix(tt.runs)
		if m == nil {
			if tt.lines != nil {
				t.Errorf("%s: there is no matrix", tt.name)
			}
			continue
		}
		var lines []string
		for _, l := range m.Lines {
			text := l.Driver.Name + ":"
			for _, c := range l.Cells {
				if c.Absent {
					text += " –"
				} else {
					text += " " + string(c.Unfenced.Outcome()) + "/" + string(c.Fenced.Outcome())
				}
			}
			lines = append(lines, text)
		}
		if !slices.Equal(lines, tt.lines) {
			t.Errorf("%s: %q, want %q", tt.name, lines, tt.lines)
		}
	}
}
