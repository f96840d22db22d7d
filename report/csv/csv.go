// Package csv writes a line for each run and driver, and of a summary one for each figure.
package csv

import (
	"cmp"
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// Render writes a summary, or if there is none the runs. The error is that of w.
func Render(w io.Writer, d *report.Document, _ report.Options) error {
	if d.Summary != nil {
		return write(w, figures(d.Summary))
	}
	return write(w, runs(d.Runs))
}

// notAvailable is what was not measured; statistics programs read it as missing.
const notAvailable = measure.NotAvailable

// column is one column of the summary.
type column struct {
	name  string
	value func(*report.Row) string
}

// runColumn is one of the columns that tell runs apart.
type runColumn struct {
	name  string
	value func(*report.Model) string
}

func runColumns() []runColumn {
	return []runColumn{
		{"run", func(m *report.Model) string { return cmp.Or(m.Dir, notAvailable) }},
		{"scenario", func(m *report.Model) string { return m.Run.Subject() }},
		{"seed", func(m *report.Model) string { return strconv.FormatUint(m.Run.Seed, 10) }},
	}
}

// noFormula is printable, and keeps spreadsheets from taking a text for a formula (OWASP, CSV injection).
func noFormula(s string) string {
	s = report.Printable(s)
	if s != "" && strings.ContainsAny(s[:1], "=+-@") {
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return "'" + s
		}
	}
	return s
}

// write writes the lines.
func write(w io.Writer, lines [][]string) error {
	out := csv.NewWriter(w)
	for _, line := range lines {
		for i := range line {
			line[i] = noFormula(line[i])
		}
	}
	return out.WriteAll(lines)
}

// runs are a header, and a line for each run and driver.
func runs(all []*report.Model) [][]string {
	of, columns := runColumns(), columns()
	var header []string
	for _, c := range of {
		header = append(header, c.name)
	}
	for _, c := range columns {
		header = append(header, c.name)
	}
	lines := [][]string{header}
	for _, m := range all {
		for r := range m.Rows {
			var line []string
			for _, c := range of {
				line = append(line, c.value(m))
			}
			for _, c := range columns {
				line = append(line, c.value(&m.Rows[r]))
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// columns lists the columns; docs/results.md describes each.
func columns() []column {
	all := []column{
		{"driver", func(r *report.Row) string { return r.Driver.Name }},
		{"title", func(r *report.Row) string { return r.Driver.Title }},
		{"status", func(r *report.Row) string { return string(r.Driver.Status) }},
		{"reason", func(r *report.Row) string {
			return strings.Join(append(report.NonEmpty(r.Driver.Reason), r.Reasons(true)...), "; ")
		}},
		{"backend", func(r *report.Row) string { return r.Driver.Backend }},
		{"version", func(r *report.Row) string { return cmp.Or(r.Driver.Version, notAvailable) }},
		{"servers", func(r *report.Row) string { return strconv.Itoa(r.Driver.Nodes) }},
		{"round_trips", func(r *report.Row) string { return strconv.Itoa(r.Driver.RoundTrips) }},
		{"round_trips_measured", func(r *report.Row) string {
			n, ok := report.MeasuredTrips(&r.Driver)
			if !ok {
				return notAvailable
			}
			return strconv.Itoa(n)
		}},
		{"token", func(r *report.Row) string { return cmp.Or(r.Driver.Token, "none") }},
		{"samples", func(r *report.Row) string { return ifAny(r.Latency, r.Latency.Samples) }},
		{"not_granted", func(r *report.Row) string { return ifAny(r.Latency, r.Latency.NotGranted) }},
	}
	all = append(all, percentiles("", report.Uncontended)...)
	all = append(all, column{"grants_per_s", func(r *report.Row) string {
		if v, ok := r.Latency.Throughput(); ok {
			return strconv.FormatFloat(v, 'f', 3, 64)
		}
		return notAvailable
	}})
	all = append(all,
		column{"proxies_us", func(r *report.Row) string { return r.Proxies.Cost.Micros() }},
		column{"proxies_share", func(r *report.Row) string {
			if !r.Proxies.Cost.Measured {
				return notAvailable
			}
			return fraction(r.Proxies.Part)
		}})
	all = append(all, kinds()...)
	all = append(all, column{"fit_for", func(r *report.Row) string {
		var uses []string
		for _, f := range r.Fits() {
			uses = append(uses, string(f.Rule.Use))
		}
		return strings.Join(uses, " | ")
	}}, column{"evidence_missing", func(r *report.Row) string {
		var missing []string
		for _, f := range r.Fits() {
			for _, e := range f.Missing {
				missing = append(missing, e.ID)
			}
		}
		return cmp.Or(strings.Join(missing, " | "), notAvailable)
	}})
	all = append(all, verdicts()...)
	all = append(all, counts()...)
	all = append(all, column{"under_fault", func(r *report.Row) string {
		words := make([]string, len(r.Behaviours))
		for i, b := range r.Behaviours {
			words[i] = b.Phase + ": " + b.String()
		}
		return cmp.Or(strings.Join(words, " | "), notAvailable)
	}})
	return append(all, tables()...)
}

// kinds are the kinds of latency beside the uncontended.
func kinds() []column {
	all := []column{
		{"contended_samples", func(r *report.Row) string { return ifAny(r.Contended, r.Contended.Samples) }},
		{"contended_not_granted", func(r *report.Row) string { return ifAny(r.Contended, r.Contended.NotGranted) }},
	}
	all = append(all, percentiles("contended_", report.Contended)...)
	all = append(all, column{"hand_offs", func(r *report.Row) string { return ifAny(r.HandOff, r.HandOff.Samples) }},
		column{"hand_offs_not_granted", func(r *report.Row) string { return ifAny(r.HandOff, r.HandOff.NotGranted) }})
	return append(all, percentiles("hand_off_", report.HandOff)...)
}

func percentiles(prefix string, k report.Kind) []column {
	return []column{
		{prefix + "p50_us", func(r *report.Row) string { return r.Of(k).Quantile(0.5).Micros() }},
		{prefix + "p99_us", func(r *report.Row) string { return r.Of(k).Quantile(0.99).Micros() }},
		{prefix + "p999_us", func(r *report.Row) string { return r.Of(k).Quantile(0.999).Micros() }},
		{prefix + "max_us", func(r *report.Row) string { return r.Of(k).Max().Micros() }},
	}
}

// verdicts are the verdicts and their incidents.
func verdicts() []column {
	var all []column
	for _, q := range report.Questions() {
		all = append(all,
			column{q.Name, func(r *report.Row) string { return q.Of(r).Word() }},
			column{q.Name + "_incidents", func(r *report.Row) string { return sum(r, q.Asks, q.Incidents) }})
	}
	all = append(all, column{"liveness", func(r *report.Row) string { return string(r.Liveness.State) }})
	for _, v := range []struct {
		name string
		of   func(report.Tally) int
	}{
		{"unexpected", func(t report.Tally) int { return t.Unexpected }}, {"expected", func(t report.Tally) int { return t.Expected }},
		{"missing", func(t report.Tally) int { return t.Missing }},
	} {
		all = append(all, column{"violations_" + v.name, func(r *report.Row) string {
			return sum(r, report.AnyTest, func(t *report.TestRow) int { return v.of(t.Tally()) })
		}})
	}
	return all
}

// counts are the checkers' counts: of exclusion by what the clients did, of data by what the resource did.
func counts() []column {
	var all []column
	add := func(name string, pass func(*report.TestRow) bool, of func(checker.Counts) int) {
		all = append(all, column{name, func(r *report.Row) string {
			return sum(r, pass, func(t *report.TestRow) int { return of(t.Result.Counts) })
		}})
	}
	add("attempts", report.AnyTest, func(c checker.Counts) int { return c.Attempts })
	add("grants", report.AnyTest, func(c checker.Counts) int { return c.Grants })
	add("writes", report.AnyTest, func(c checker.Counts) int { return c.Writes })
	add("ambiguous", report.AnyTest, func(c checker.Counts) int { return c.Ambiguous })
	for _, by := range []struct {
		suffix string
		pass   func(*report.TestRow) bool
	}{{"_heeding", report.Heeding}, {"_ignoring", report.Ignoring}} {
		add("overlap"+by.suffix, by.pass, func(c checker.Counts) int { return c.Overlap })
		add("interleaved"+by.suffix, by.pass, func(c checker.Counts) int { return c.Interleaved })
		add("token_regression"+by.suffix, by.pass, func(c checker.Counts) int { return c.TokenRegression })
	}
	for _, by := range []struct {
		suffix string
		pass   func(*report.TestRow) bool
	}{{"_unfenced", report.Unfenced}, {"_fenced", report.Fenced}} {
		add("stale_write"+by.suffix, by.pass, func(c checker.Counts) int { return c.StaleWrite })
		add("stale_delayed"+by.suffix, by.pass, func(c checker.Counts) int { return c.StaleDelayed })
		add("lost_update"+by.suffix, by.pass, func(c checker.Counts) int { return c.LostUpdate })
	}
	all = append(all, severity()...)
	add("fenced_off", report.Fenced, func(c checker.Counts) int { return c.FencedOff })
	add("broken_fence", report.Fenced, func(c checker.Counts) int { return c.BrokenFence })
	add("stuck_lock", report.AnyTest, func(c checker.Counts) int { return c.StuckLock })
	return all
}

// severity says how bad it was, and who told the holders.
func severity() []column {
	var all []column
	add := func(name string, pass func(*report.TestRow) bool, of func(report.Severity) string) {
		all = append(all, column{name, func(r *report.Row) string {
			if _, ok := r.Count(pass, func(*report.TestRow) int { return 0 }); !ok {
				return notAvailable
			}
			return of(r.SeverityOf(pass))
		}})
	}
	for _, by := range []struct {
		suffix string
		pass   func(*report.TestRow) bool
	}{{"_heeding", report.Heeding}, {"_ignoring", report.Ignoring}} {
		add("overlap_brief"+by.suffix, by.pass, func(s report.Severity) string { return strconv.Itoa(s.Brief) })
		add("two_holders_us"+by.suffix, by.pass, func(s report.Severity) string { return measure.SpanOf(int64(s.Both)).Micros() })
		add("two_holders_max_us"+by.suffix, by.pass, func(s report.Severity) string { return measure.SpanOf(int64(s.Longest)).Micros() })
	}
	all = append(all, column{"loss_by", func(r *report.Row) string { return cmp.Or(r.Driver.LossBy, notAvailable) }})
	add("told", report.AnyTest, func(s report.Severity) string { return strconv.Itoa(s.Told) })
	add("told_late", report.AnyTest, func(s report.Severity) string { return strconv.Itoa(s.Late) })
	add("told_margin_us", report.AnyTest, func(s report.Severity) string {
		if s.Told == 0 {
			return notAvailable
		}
		return measure.SpanOf(int64(s.Margin)).Micros()
	})
	return all
}

// sum sums over the judged tests that pass; NA if there is none.
func sum(r *report.Row, pass func(*report.TestRow) bool, of func(*report.TestRow) int) string {
	n, ok := r.Count(pass, of)
	if !ok {
		return notAvailable
	}
	return strconv.Itoa(n)
}

// ifAny keeps a zero of what was never counted out of the table.
func ifAny(l measure.Latency, n int64) string {
	if l.Samples+l.NotGranted == 0 {
		return notAvailable
	}
	return strconv.FormatInt(n, 10)
}
