package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report/measure"
)

// Took is how long the run took, or nothing.
func (m *Model) Took() string {
	if d, ok := m.Duration(); ok {
		return units.Duration(d)
	}
	return ""
}

// RunStatus is the run's status with its reason.
func (m *Model) RunStatus() string {
	return strings.Join(append(NonEmpty(string(m.Run.Status)), NonEmpty(m.Run.Reason)...), ": ")
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

// Reason is why the row has nothing to show.
func (r *Row) Reason() string { return cmp.Or(r.Driver.Reason, "no reason was recorded") }

// P50, P99, P999 and Max are the row's latencies; Rate its grants per second in the same phases.
func (r *Row) P50() measure.Span  { return r.Latency.Quantile(0.5) }
func (r *Row) P99() measure.Span  { return r.Latency.Quantile(0.99) }
func (r *Row) P999() measure.Span { return r.Latency.Quantile(0.999) }
func (r *Row) Max() measure.Span  { return r.Latency.Max() }

// Rate is written for people.
func (r *Row) Rate() string {
	if v, ok := r.Latency.Throughput(); ok {
		return units.Number(v) + " /s"
	}
	return measure.Dash
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
func (r *Row) Stuck() bool { return !r.Nothing() && r.Liveness.State.Severity() > Valid.Severity() }

// Words is the finding for people.
func (f Finding) Words() string {
	if f.State == Invalid && f.Incidents > 0 {
		return fmt.Sprintf("%s\u00a0×%d", f.State, f.Incidents)
	}
	return f.Word()
}

// Why is what there is to say of the finding, or nothing.
func (f Finding) Why() string {
	switch {
	case f.Expected && f.Reason != "":
		return "expected; " + f.Reason
	case f.Expected:
		return "expected"
	case f.NoToken:
		return "no fencing token"
	}
	return f.Reason
}

// Setup says under which setting the test ran.
func (t *TestRow) Setup() string {
	setup := "unfenced, "
	if t.Fenced {
		setup = "fenced, "
	}
	if t.Heeding {
		return setup + "heeding"
	}
	return setup + "ignoring"
}

// Skipped reports whether the test has no meaning for its lock.
func (t *TestRow) Skipped() bool { return t.Status == results.NotApplicable }

// faultPhase is a phase with a fault, and the number of incidents of exclusion that began in it.
type faultPhase struct {
	measure.Phase
	Two int
}

// Faulted lists the phases with a fault.
func (t *TestRow) Faulted() []faultPhase {
	var all []faultPhase
	for _, p := range t.Measured.Phases {
		if p.HasFault() {
			all = append(all, faultPhase{p, t.twoIn(&p)})
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
