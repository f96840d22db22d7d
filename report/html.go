package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

//go:embed page/*.html
var pageTemplates embed.FS

//go:embed page/page.css
var pageStyle string

// writePage writes one page of a document, nil: there is none, and of runs. It needs nothing else: no network, no scripts.
func writePage(w io.Writer, d *Document, runs []*Model) error {
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"class":     func(s State) string { return strings.ReplaceAll(string(s), " ", "-") },
		"status":    func(s results.Status) State { return State(s) },
		"time":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"plural":    units.Plural,
		"bytes":     func(n uint64) string { return units.Number(float64(n)/(1<<30)) + " GiB" },
		"orElse":    orElse,
		"prose":     prose,
		"anchored":  func(prefix string, t Table) anchoredTable { return anchoredTable{prefix + string(t.ID), t} },
		"shownRuns": func() int { return shownRuns },
		"unbroken":  unbroken,
		"join":      func(all []string) string { return strings.Join(all, " ") },
	}).ParseFS(pageTemplates, "page/*.html")
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	filled, err := newPage(d, runs)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, filled); err != nil {
		return fmt.Errorf("fill the page: %w", err)
	}
	// Texts of servers may hold control characters, which HTML forbids even escaped, and those that turn the order of text around.
	_, err = w.Write(bytes.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, b.Bytes()))
	return err
}

// anchoredTable is a table with the name by which links find it.
type anchoredTable struct {
	Anchor string
	Table
}

// beforeUnit is a blank between a number and its unit.
var beforeUnit = regexp.MustCompile(`(\d) (ns|µs|ms|s|%)`)

// unbroken keeps numbers and their units on one line.
func unbroken(s string) string { return beforeUnit.ReplaceAllString(s, "$1\u00a0$2") }

// prose writes what stands between backquotes as code.
func prose(text string) template.HTML {
	var b strings.Builder
	parts := strings.Split(text, "`")
	for i, part := range parts {
		escaped := template.HTMLEscapeString(part)
		switch {
		case i%2 == 0:
		case i+1 < len(parts):
			escaped = "<code>" + escaped + "</code>"
		default: // it has no second one
			escaped = "`" + escaped
		}
		b.WriteString(escaped)
	}
	return template.HTML(b.String())
}

// Took is how long the run took, or nothing.
func (m *Model) Took() string {
	if d, ok := m.Duration(); ok {
		return units.Duration(d)
	}
	return ""
}

// RunStatus is the run's status with its reason.
func (m *Model) RunStatus() string {
	return strings.Join(append(nonEmpty(string(m.Run.Status)), nonEmpty(m.Run.Reason)...), ": ")
}

// Servers lists the servers' versions.
func (m *Model) Servers() []string {
	var all []string
	for i := range m.Rows {
		if s := m.Rows[i].Server(); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// BehaviourSpan is the number of columns beside the first.
func (m *Model) BehaviourSpan() int { return 6 + len(m.FaultPhases) }

// Chip is one of the counts at the top of the page.
type Chip struct {
	State State
	Text  string
}

// Chips are the counts of the tally that are not zero; valid verdicts are always counted.
func (m *Model) Chips() []Chip {
	t := m.Tally
	all := []Chip{{Valid, units.Plural(t.Valid, "verdict") + " valid"}}
	if t.Valid == 0 {
		all[0].State = Unknown
	}
	for _, c := range []struct {
		n     int
		state State
		text  string
	}{
		{t.Unexpected, Invalid, units.Plural(t.Unexpected, "violation")},
		{t.Expected, Invalid, units.Plural(t.Expected, "expected violation")},
		{t.Missing, Unknown, units.Plural(t.Missing, "expected violation") + " missing"},
		{t.Unknown, Unknown, fmt.Sprintf("%d unknown", t.Unknown)},
		{t.NotRun, NotRun, fmt.Sprintf("%d not run", t.NotRun)},
		{t.Failed, Failed, fmt.Sprintf("%d failed", t.Failed)},
	} {
		if c.n > 0 {
			all = append(all, Chip{c.state, c.text})
		}
	}
	if t.Interrupted {
		all = append(all, Chip{Unknown, "incomplete run"})
	}
	return all
}

// ID is the row's anchor.
func (r *Row) ID() string { return "driver-" + strings.ReplaceAll(r.Driver.Name, "+", "-") }

// Nothing reports whether one reason stands for the whole row.
func (r *Row) Nothing() bool { return r.nothing() }

// Reason is why the row has nothing to show.
func (r *Row) Reason() string { return orElse(r.Driver.Reason, "no reason was recorded") }

// P50, P99, P999 and Max are the row's latencies; Rate its grants per second in the same phases.
func (r *Row) P50() Span  { return r.Latency.Quantile(0.5) }
func (r *Row) P99() Span  { return r.Latency.Quantile(0.99) }
func (r *Row) P999() Span { return r.Latency.Quantile(0.999) }
func (r *Row) Max() Span  { return r.Latency.Max() }

// Rate is written for people.
func (r *Row) Rate() string {
	if v, ok := r.Latency.Throughput(); ok {
		return units.Number(v) + " /s"
	}
	return dash
}

// Refused is the number of stale requests that the fence refused, or nothing if it is none or unknown.
func (r *Row) Refused() string {
	if n, ok := r.FencedOff(); ok && n > 0 {
		return units.Plural(n, "stale request") + " refused"
	}
	return ""
}

// Server names what the row ran on; empty if that is not known.
func (r *Row) Server() string {
	if r.Driver.Version == "" {
		return ""
	}
	return r.Driver.Backend + " " + r.Driver.Version
}

// Stuck reports whether the lock was not, or perhaps not, granted again after a heal.
func (r *Row) Stuck() bool { return !r.nothing() && r.Liveness.State.severity() > Valid.severity() }

// Words is the finding for people.
func (f Finding) Words() string {
	if f.State == Invalid && f.Incidents > 0 {
		return fmt.Sprintf("%s\u00a0×%d", f.State, f.Incidents)
	}
	return f.word()
}

// Why is what there is to say of the finding, or nothing.
func (f Finding) Why() string {
	switch {
	case f.Expected && f.Reason != "":
		return "expected; " + f.Reason
	case f.Expected:
		return "expected"
	case f.Reason == cannotBeFenced:
		return "no fencing token"
	}
	return f.Reason
}

// Setup says under which setting the test ran.
func (t *TestRow) Setup() string {
	setup := "unfenced, "
	if t.Fencing {
		setup = "fenced, "
	}
	if t.HeedLost {
		return setup + "heeding Lost"
	}
	return setup + "ignoring Lost"
}

// Skipped reports whether the test has no meaning for its lock.
func (t *TestRow) Skipped() bool { return t.Status == results.NotApplicable }

// struck is a phase with a fault, and the number of incidents of exclusion that began in it.
type struck struct {
	PhaseMeasure
	Two int
}

// Struck lists the phases with a fault.
func (t *TestRow) Struck() []struck {
	var all []struck
	for _, p := range t.Measured.Phases {
		if p.Struck() {
			all = append(all, struck{p, t.twoIn(&p)})
		}
	}
	return all
}

// Count is one of the checkers' counts with the field's name for it.
type Count struct {
	Name string
	N    int
}

// Counts lists the test's counts.
func (t *TestRow) Counts() []Count {
	c := t.Result.Counts
	return []Count{
		{"attempts", c.Attempts}, {"grants", c.Grants}, {"writes", c.Writes}, {"ambiguous", c.Ambiguous},
		{"overlap", c.Overlap}, {"interleaved", c.Interleaved}, {"token regression", c.TokenRegression},
		{"stale write", c.StaleWrite}, {"of these delayed", c.StaleDelayed}, {"lost update", c.LostUpdate},
		{"fenced off", c.FencedOff}, {"broken fence", c.BrokenFence}, {"stuck lock", c.StuckLock},
	}
}

// Remarks says why the test's verdicts are not valid, and what else a reader should know.
func (t *TestRow) Remarks() []string {
	all := slices.Clone(t.Notes)
	for _, q := range []struct {
		name string
		f    Finding
	}{{"exclusion", t.Exclusion}, {"data", t.Data}, {"liveness", t.Liveness}} {
		if why := q.f.Why(); why != "" && q.f.Reason != t.Reason {
			all = append(all, fmt.Sprintf("%s %s: %s", q.name, q.f.State, why))
		}
	}
	return all
}

// Unclear counts the acquires of which nobody knows what became.
func (p PhaseMeasure) Unclear() int { return p.Infos + p.Open }

// Since writes a time of the history as the time since its first line.
func (m Measurement) Since(ns int64) string { return units.Duration(time.Duration(ns - m.Begin)) }

// Took writes the time between two times of a history.
func (m Measurement) Took(begin, end int64) string { return units.Duration(time.Duration(end - begin)) }
