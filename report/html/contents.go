package html

import "github.com/lockbench/lockbench/report"

// place is an entry of the contents.
type place struct{ Anchor, Title string }

// contents lists what is on a page of one run.
func (p *runPage) contents() []place {
	all := []place{{"answers", "Which lock for which work"}, {p.Prefix + "says", "What this says"}, {p.Prefix + "comparison", "Comparison"}}
	if len(p.Rows) == 0 {
		all = []place{{p.Prefix + "says", "What this says"}}
	}
	if len(p.Percentiles) > 0 {
		all = append(all, place{p.Prefix + "percentiles", "Latency"})
	}
	for _, t := range p.Tables {
		all = append(all, place{p.Prefix + string(t.ID), t.Title})
	}
	for _, s := range p.Sections {
		all = append(all, place{p.Prefix + s.ID(), s.Driver.Title})
	}
	return append(all, place{p.Prefix + "reading", "How to read it"}, place{p.Prefix + "facts", "The run"}, place{"terms", "Terms"})
}

// contents lists what is on a page of several runs.
func (p *htmlPage) contents() []place {
	var all []place
	if len(p.Answers) > 0 {
		all = append(all, place{"answers", "Which lock for which work"})
	}
	if p.Matrix != nil {
		all = append(all, place{"matrix", report.MatrixTitle})
	}
	for _, r := range p.Runs {
		all = append(all, place{r.Prefix + "run", r.Title})
	}
	return append(all, place{"terms", "Terms"})
}

// Exclusion is the worst finding of any test of the driver on mutual exclusion.
func (s *driverSection) Exclusion() report.Finding {
	return s.Find(func(t *report.TestRow) report.Finding { return t.Exclusion }, report.AnyTest)
}
