package report

import (
	"fmt"
	"slices"
)

// reasons lists, by driver, why cells do not say valid.
func reasons(m *Model) []string {
	var all []string
	// Where a scenario measures no latency, no lock's row need say so.
	latency := slices.ContainsFunc(m.Rows, func(r Row) bool { return r.Latency.Quantile(0.5).Reason != noLatencyPhase })
	for i := range m.Rows {
		for _, why := range m.Rows[i].reasons(latency) {
			all = append(all, m.Rows[i].Driver.Title+", "+why)
		}
	}
	return all
}

// reasons lists why the row's cells do not say valid. Cells with one reason share a line; a row that came to
// nothing says why by itself.
func (r *Row) reasons(latency bool) []string {
	if r.nothing() {
		return nil
	}
	var causes, all []string
	cells := map[string][]string{}
	for _, d := range r.doubts(latency) {
		if cells[d.why] == nil {
			causes = append(causes, d.why)
		}
		cells[d.why] = append(cells[d.why], d.cell)
	}
	for _, why := range causes {
		all = append(all, fmt.Sprintf("%s: %s", list(cells[why]), why))
	}
	return all
}

// doubt is a cell that does not say valid, and why.
type doubt struct{ cell, why string }

func (r *Row) doubts(latency bool) []doubt {
	var all []doubt
	for _, c := range []struct {
		cell string
		f    Finding
	}{
		{"exclusion heeding Lost", r.Heeding}, {"exclusion ignoring Lost", r.Ignoring},
		{"data unfenced", r.Unfenced}, {"data fenced", r.Fenced}, {"granted again", r.Liveness},
	} {
		if c.f.Reason != "" && c.f.Reason != notAsked && c.f.State != Valid && c.f.State != NotApplicable {
			all = append(all, doubt{c.cell, string(c.f.State) + ": " + c.f.Reason})
		}
	}
	for _, q := range []struct {
		cell string
		s    Span
	}{{"p50", r.Latency.Quantile(0.5)}, {"p99", r.Latency.Quantile(0.99)}} {
		if latency && !q.s.Measured {
			all = append(all, doubt{q.cell, "not measured: " + q.s.Reason})
		}
	}
	for _, b := range r.Behaviours {
		if !slices.Contains([]State{Valid, NotApplicable}, b.State) {
			all = append(all, doubt{b.Phase, string(b.State) + ": " + orElse(b.Reason, "no reason was recorded")})
		}
	}
	return all
}
