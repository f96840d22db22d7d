package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/report/measure"
)

// reasons lists, by driver, why cells do not say valid.
func reasons(m *Model) []string {
	var all []string
	latency := m.measuresLatency()
	for i := range m.Rows {
		for _, why := range m.Rows[i].Reasons(latency) {
			all = append(all, m.Rows[i].Driver.Title+", "+why)
		}
	}
	return all
}

// measuresLatency reports whether the scenario does so. Else no lock's row need say so.
func (m *Model) measuresLatency() bool {
	return slices.ContainsFunc(m.Rows, func(r Row) bool { return r.Latency.Quantile(0.5).Reason != measure.NoLatencyPhase })
}

// Doubts lists, by driver, why cells do not say valid, without what the table of the severity tells.
func (m *Model) Doubts() []string {
	var all []string
	latency := m.measuresLatency()
	for i := range m.Rows {
		r := &m.Rows[i]
		for _, why := range r.because(latency, func(d doubt) bool { return !d.told }) {
			all = append(all, r.Driver.Title+", "+why)
		}
	}
	return all
}

// Reasons lists why the row's cells do not say valid. Cells with one reason share a line; a row that came to
// nothing says why by itself.
func (r *Row) Reasons(latency bool) []string {
	return r.because(latency, func(doubt) bool { return true })
}

func (r *Row) because(latency bool, pass func(doubt) bool) []string {
	if r.Nothing() {
		return nil
	}
	var causes, all []string
	cells := map[string][]string{}
	for _, d := range r.doubts(latency) {
		if !pass(d) {
			continue
		}
		if cells[d.why] == nil {
			causes = append(causes, d.why)
		}
		cells[d.why] = append(cells[d.why], d.cell)
	}
	for _, why := range causes {
		all = append(all, fmt.Sprintf("%s: %s", List(cells[why]), why))
	}
	return all
}

// doubt is a cell that does not say valid, and why. told: the table of the severity says so, too.
type doubt struct {
	cell, why string
	told      bool
}

func (r *Row) doubts(latency bool) []doubt {
	var all []doubt
	heeding, ignoring, unfenced := r.SeverityOf(Heeding), r.SeverityOf(Ignoring), r.SeverityOf(Unfenced)
	for _, c := range []struct {
		cell string
		f    Finding
		how  string // bad it was; empty: the finding says it
		told bool
	}{
		{"exclusion heeding", r.Heeding, severityWords(heeding), heeding.Overlaps > 0},
		{"exclusion ignoring", r.Ignoring, severityWords(ignoring), ignoring.Overlaps > 0},
		{"data unfenced", r.Unfenced, "", unfenced.Stale+unfenced.LostUpdates > 0},
		{"data fenced", r.Fenced, "", false}, {"granted again", r.Liveness, "", false},
	} {
		if c.f.Reason != "" && !c.f.NotAsked && c.f.State != Valid && c.f.State != NotApplicable {
			why := c.f.Reason
			if c.f.State == Invalid {
				why = cmp.Or(c.how, why)
			}
			all = append(all, doubt{c.cell, string(c.f.State) + ": " + why, c.f.State == Invalid && c.told})
		}
	}
	for _, q := range []struct {
		cell string
		s    measure.Span
	}{{"p50", r.Latency.Quantile(0.5)}, {"p99", r.Latency.Quantile(0.99)}} {
		if latency && !q.s.Measured {
			all = append(all, doubt{q.cell, "not measured: " + q.s.Reason, false})
		}
	}
	for _, b := range r.Behaviours {
		if len(b.What) == 0 && !slices.Contains([]State{Valid, NotApplicable}, b.State) {
			all = append(all, doubt{b.Phase, string(b.State) + ": " + cmp.Or(b.Reason, "no reason was recorded"), false})
		}
	}
	return all
}
