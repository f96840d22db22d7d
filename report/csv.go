package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/checker"
)

// csvColumn is one column of the summary. Values that nothing measured are "NA", which statistics programs read as missing.
type csvColumn struct {
	name  string
	value func(*Row) string
}

// csvRunColumn is one of the columns that tell runs apart.
type csvRunColumn struct {
	name  string
	value func(*Model) string
}

func csvRunColumns() []csvRunColumn {
	return []csvRunColumn{
		{"run", func(m *Model) string { return orElse(m.Dir, notAvailable) }},
		{"scenario", func(m *Model) string { return m.Run.Subject() }},
		{"seed", func(m *Model) string { return strconv.FormatUint(m.Run.Seed, 10) }},
	}
}

// noFormula is printable, and keeps spreadsheets from taking a text for a formula (OWASP, CSV injection).
func noFormula(s string) string {
	s = printable(s)
	if s != "" && strings.ContainsAny(s[:1], "=+-@") {
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return "'" + s
		}
	}
	return s
}

// renderCSV writes one line per run and driver, after a header.
func renderCSV(w io.Writer, runs []*Model) error {
	of, columns := csvRunColumns(), csvColumns()
	out := csv.NewWriter(w)
	var record []string
	for _, c := range of {
		record = append(record, c.name)
	}
	for _, c := range columns {
		record = append(record, c.name)
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, m := range runs {
		for r := range m.Rows {
			record = record[:0]
			for _, c := range of {
				record = append(record, noFormula(c.value(m)))
			}
			for _, c := range columns {
				record = append(record, noFormula(c.value(&m.Rows[r])))
			}
			if err := out.Write(record); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// csvColumns lists the columns; docs/results.md describes each.
func csvColumns() []csvColumn {
	all := []csvColumn{
		{"driver", func(r *Row) string { return r.Driver.Name }},
		{"title", func(r *Row) string { return r.Driver.Title }},
		{"status", func(r *Row) string { return string(r.Driver.Status) }},
		{"reason", func(r *Row) string { return strings.Join(append(nonEmpty(r.Driver.Reason), r.reasons(true)...), "; ") }},
		{"backend", func(r *Row) string { return r.Driver.Backend }},
		{"version", func(r *Row) string { return orElse(r.Driver.Version, notAvailable) }},
		{"servers", func(r *Row) string { return strconv.Itoa(r.Driver.Nodes) }},
		{"round_trips", func(r *Row) string { return strconv.Itoa(r.Driver.RoundTrips) }},
		{"round_trips_measured", func(r *Row) string {
			n, ok := measuredTrips(&r.Driver)
			if !ok {
				return notAvailable
			}
			return strconv.Itoa(n)
		}},
		{"token", func(r *Row) string { return orElse(r.Driver.Token, "none") }},
		{"samples", func(r *Row) string { return ifAny(r.Latency, r.Latency.Samples) }},
		{"not_granted", func(r *Row) string { return ifAny(r.Latency, r.Latency.NotGranted) }},
	}
	all = append(all, csvPercentiles("", Uncontended)...)
	all = append(all, csvColumn{"grants_per_s", func(r *Row) string {
		if v, ok := r.Latency.Throughput(); ok {
			return strconv.FormatFloat(v, 'f', 3, 64)
		}
		return notAvailable
	}})
	all = append(all,
		csvColumn{"proxies_us", func(r *Row) string { return r.Proxies.Cost.Micros() }},
		csvColumn{"proxies_share", func(r *Row) string {
			if !r.Proxies.Cost.Measured {
				return notAvailable
			}
			return fraction(r.Proxies.Part)
		}})
	all = append(all, csvKinds()...)
	all = append(all, csvVerdicts()...)
	all = append(all, csvCounts()...)
	all = append(all, csvColumn{"under_fault", func(r *Row) string {
		words := make([]string, len(r.Behaviours))
		for i, b := range r.Behaviours {
			words[i] = b.Phase + ": " + b.String()
		}
		return orElse(strings.Join(words, " | "), notAvailable)
	}})
	return append(all, csvTables()...)
}

// csvKinds are the kinds of latency beside the uncontended.
func csvKinds() []csvColumn {
	all := []csvColumn{
		{"contended_samples", func(r *Row) string { return ifAny(r.Contended, r.Contended.Samples) }},
		{"contended_not_granted", func(r *Row) string { return ifAny(r.Contended, r.Contended.NotGranted) }},
	}
	all = append(all, csvPercentiles("contended_", Contended)...)
	all = append(all, csvColumn{"hand_offs", func(r *Row) string { return ifAny(r.HandOff, r.HandOff.Samples) }},
		csvColumn{"hand_offs_not_granted", func(r *Row) string { return ifAny(r.HandOff, r.HandOff.NotGranted) }})
	return append(all, csvPercentiles("hand_off_", HandOff)...)
}

func csvPercentiles(prefix string, k Kind) []csvColumn {
	return []csvColumn{
		{prefix + "p50_us", func(r *Row) string { return r.Of(k).Quantile(0.5).Micros() }},
		{prefix + "p99_us", func(r *Row) string { return r.Of(k).Quantile(0.99).Micros() }},
		{prefix + "p999_us", func(r *Row) string { return r.Of(k).Quantile(0.999).Micros() }},
		{prefix + "max_us", func(r *Row) string { return r.Of(k).Max().Micros() }},
	}
}

// csvVerdicts are the verdicts and their incidents.
func csvVerdicts() []csvColumn {
	var all []csvColumn
	for _, q := range []struct {
		name      string
		of        func(*Row) Finding
		pass      func(*TestRow) bool
		incidents func(*TestRow) int
	}{
		{"exclusion_heeding", func(r *Row) Finding { return r.Heeding }, heeding, exclusionIncidents},
		{"exclusion_ignoring", func(r *Row) Finding { return r.Ignoring }, ignoring, exclusionIncidents},
		{"data_unfenced", func(r *Row) Finding { return r.Unfenced }, unfenced, dataIncidents},
		{"data_fenced", func(r *Row) Finding { return r.Fenced }, fenced, dataIncidents},
	} {
		all = append(all,
			csvColumn{q.name, func(r *Row) string { return q.of(r).word() }},
			csvColumn{q.name + "_incidents", func(r *Row) string { return r.countText(q.pass, q.incidents) }})
	}
	return append(all,
		csvColumn{"liveness", func(r *Row) string { return string(r.Liveness.State) }},
		csvColumn{"violations_unexpected", func(r *Row) string {
			return r.countText(anyTest, func(t *TestRow) int { return t.tally().Unexpected })
		}},
		csvColumn{"violations_expected", func(r *Row) string {
			return r.countText(anyTest, func(t *TestRow) int { return t.tally().Expected })
		}},
		csvColumn{"violations_missing", func(r *Row) string {
			return r.countText(anyTest, func(t *TestRow) int { return t.tally().Missing })
		}},
	)
}

// csvCounts are the checkers' counts: of exclusion by what the clients did, of data by what the resource did.
func csvCounts() []csvColumn {
	var all []csvColumn
	add := func(name string, pass func(*TestRow) bool, of func(checker.Counts) int) {
		all = append(all, csvColumn{name, func(r *Row) string {
			return r.countText(pass, func(t *TestRow) int { return of(t.Result.Counts) })
		}})
	}
	add("attempts", anyTest, func(c checker.Counts) int { return c.Attempts })
	add("grants", anyTest, func(c checker.Counts) int { return c.Grants })
	add("writes", anyTest, func(c checker.Counts) int { return c.Writes })
	add("ambiguous", anyTest, func(c checker.Counts) int { return c.Ambiguous })
	for _, by := range []struct {
		suffix string
		pass   func(*TestRow) bool
	}{{"_heeding", heeding}, {"_ignoring", ignoring}} {
		add("overlap"+by.suffix, by.pass, func(c checker.Counts) int { return c.Overlap })
		add("interleaved"+by.suffix, by.pass, func(c checker.Counts) int { return c.Interleaved })
		add("token_regression"+by.suffix, by.pass, func(c checker.Counts) int { return c.TokenRegression })
	}
	for _, by := range []struct {
		suffix string
		pass   func(*TestRow) bool
	}{{"_unfenced", unfenced}, {"_fenced", fenced}} {
		add("stale_write"+by.suffix, by.pass, func(c checker.Counts) int { return c.StaleWrite })
		add("stale_delayed"+by.suffix, by.pass, func(c checker.Counts) int { return c.StaleDelayed })
		add("lost_update"+by.suffix, by.pass, func(c checker.Counts) int { return c.LostUpdate })
	}
	add("fenced_off", fenced, func(c checker.Counts) int { return c.FencedOff })
	add("broken_fence", fenced, func(c checker.Counts) int { return c.BrokenFence })
	add("stuck_lock", anyTest, func(c checker.Counts) int { return c.StuckLock })
	return all
}

func exclusionIncidents(t *TestRow) int { return t.Exclusion.Incidents }
func dataIncidents(t *TestRow) int      { return t.Data.Incidents }

// countText sums over the judged tests that pass; NA if there is none.
func (r *Row) countText(pass func(*TestRow) bool, of func(*TestRow) int) string {
	n, ok := r.count(pass, of)
	if !ok {
		return notAvailable
	}
	return strconv.Itoa(n)
}

// ifAny keeps a zero of what was never counted out of the table.
func ifAny(l Latency, n int64) string {
	if l.Samples+l.NotGranted == 0 {
		return notAvailable
	}
	return strconv.FormatInt(n, 10)
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
