// Package json writes everything for programs; docs/results.md describes the objects.
package json

import (
	"cmp"
	"encoding/json"
	"io"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// format is the version of what Render writes; docs/results.md describes it.
const format = 2

// The objects of a report as JSON. They are types of their own, so that no change of the model changes the format.
type (
	runsObject struct {
		Format int         `json:"format"`
		Runs   []runObject `json:"runs"`
		// Answers and Matrix are what several runs say together.
		Answers []lockAnswerObject `json:"answers,omitempty"`
		Matrix  []matrixObject     `json:"matrix,omitempty"`
	}
	lockAnswerObject struct {
		Driver string `json:"driver"`
		answerObject
	}
	matrixObject struct {
		Driver   string             `json:"driver"`
		Scenario string             `json:"scenario"`
		Unfenced report.DataOutcome `json:"data_unfenced"`
		Fenced   report.DataOutcome `json:"data_fenced"`
	}
	runObject struct {
		Dir       string            `json:"dir,omitempty"`
		Scenario  string            `json:"scenario"`
		Summary   string            `json:"summary,omitempty"`
		Seed      uint64            `json:"seed"`
		Round     *results.Round    `json:"round,omitempty"`
		Started   time.Time         `json:"started,omitzero"`
		Finished  time.Time         `json:"finished,omitzero"`
		Status    results.Status    `json:"status"`
		Reason    string            `json:"reason,omitempty"`
		Version   string            `json:"version"`
		Commit    string            `json:"commit"`
		Host      results.Host      `json:"host"`
		Settings  map[string]string `json:"settings"`
		Judged    bool              `json:"judged"`
		Exit      int               `json:"exit"`
		Tally     tallyObject       `json:"tally"`
		Drivers   []driverObject    `json:"drivers"`
		Tables    []tableObject     `json:"tables"`
		Says      []string          `json:"says"`
		Reasons   []string          `json:"reasons"`
		Notes     []string          `json:"notes"`
		ProxyCost *proxyCostObject  `json:"proxy_cost"`
	}
	tallyObject struct {
		Valid      int `json:"valid"`
		Unexpected int `json:"violations_unexpected"`
		Expected   int `json:"violations_expected"`
		Missing    int `json:"violations_missing"`
		Unknown    int `json:"unknown"`
		NotRun     int `json:"not_run"`
		Failed     int `json:"failed"`
	}
	proxyCostObject struct {
		P50 int64 `json:"p50_ns"`
		P99 int64 `json:"p99_ns"`
	}
	driverObject struct {
		Name       string                        `json:"name"`
		Title      string                        `json:"title"`
		Backend    string                        `json:"backend"`
		Version    string                        `json:"version"`
		Status     results.Status                `json:"status"`
		Reason     string                        `json:"reason,omitempty"`
		Servers    int                           `json:"servers"`
		RoundTrips int                           `json:"round_trips"`
		TripsFound *int                          `json:"round_trips_measured"`
		Token      string                        `json:"token"`
		Verdicts   map[string]verdictObject      `json:"verdicts"`
		FencedOff  *int                          `json:"fenced_off"`
		LossBy     string                        `json:"loss_by,omitempty"`
		Severity   map[string]severityObject     `json:"severity"`
		Latency    map[report.Kind]latencyObject `json:"latency"`
		Faults     []behaviourObject             `json:"under_fault"`
		Tests      []testObject                  `json:"tests"`
		Answer     answerObject                  `json:"answer"`
	}
	answerObject struct {
		FitFor   []fitObject    `json:"fit_for"`
		Broke    []breachObject `json:"broke"`
		Survived []string       `json:"survived"`
		Unseen   []string       `json:"scenarios_unseen"`
	}
	severityObject struct {
		Overlaps int    `json:"overlap"`
		Brief    int    `json:"overlap_brief"`
		Both     int64  `json:"two_holders_ns"`
		Longest  int64  `json:"two_holders_max_ns"`
		Told     int    `json:"told"`
		Late     int    `json:"told_late"`
		Margin   *int64 `json:"told_margin_ns"`
	}
	fitObject struct {
		Rule    string           `json:"rule"`
		Use     report.Use       `json:"use"`
		Missing []evidenceObject `json:"evidence_missing"`
	}
	evidenceObject struct {
		ID       string `json:"id"`
		What     string `json:"what"`
		Scenario string `json:"scenario"`
	}
	breachObject struct {
		Phase    string `json:"phase"`
		Heeding  bool   `json:"two_holders_heeding"`
		Ignoring bool   `json:"two_holders_ignoring"`
		Unfenced bool   `json:"data_unfenced"`
		Fenced   bool   `json:"data_fenced"`
	}
	verdictObject struct {
		State     report.State `json:"state"`
		Incidents int          `json:"incidents"`
		Expected  bool         `json:"expected,omitempty"`
		Reason    string       `json:"reason,omitempty"`
	}
	latencyObject struct {
		Samples    int64    `json:"samples"`
		NotGranted int64    `json:"not_granted"`
		P50        *int64   `json:"p50_ns"`
		P90        *int64   `json:"p90_ns"`
		P99        *int64   `json:"p99_ns"`
		P999       *int64   `json:"p999_ns"`
		Max        *int64   `json:"max_ns"`
		PerSecond  *float64 `json:"per_s"`
		Reason     string   `json:"reason,omitempty"`
	}
	behaviourObject struct {
		Phase     string         `json:"phase"`
		What      []measure.What `json:"what"`
		State     report.State   `json:"state"`
		Reason    string         `json:"reason,omitempty"`
		Incidents int            `json:"incidents"`
		Gap       *int64         `json:"gap_ns"`
		Typical   *int64         `json:"p50_ns"`
		Recovery  *int64         `json:"recovery_ns"`
		Latency   *latencyObject `json:"latency"`
	}
	testObject struct {
		Name     string                   `json:"name"`
		Fenced   bool                     `json:"fenced"`
		Heeding  bool                     `json:"heeding"`
		Status   results.Status           `json:"status"`
		Reason   string                   `json:"reason,omitempty"`
		Verdicts map[string]verdictObject `json:"verdicts"`
		Counts   map[string]int           `json:"counts"`
		Notes    []string                 `json:"notes,omitempty"`
	}
	tableObject struct {
		Title   string       `json:"title"`
		About   string       `json:"about,omitempty"`
		Columns []string     `json:"columns"`
		Lines   []lineObject `json:"lines"`
	}
	lineObject struct {
		Driver string     `json:"driver"`
		Cells  [][]string `json:"cells"`
		Reason string     `json:"reason,omitempty"`
	}
	summaryObject struct {
		Format   int             `json:"format"`
		Title    string          `json:"title"`
		Lead     []string        `json:"lead"`
		Says     []string        `json:"says"`
		Figures  []figureObject  `json:"figures"`
		Tables   []tableObject   `json:"tables"`
		Sections []sectionObject `json:"sections"`
	}
	sectionObject struct {
		Heading    string   `json:"heading"`
		Paragraphs []string `json:"paragraphs"`
	}
	figureObject struct {
		Driver   string                    `json:"driver"`
		Quantity string                    `json:"quantity"`
		Unit     string                    `json:"unit"`
		Of       map[string]estimateObject `json:"of"`
		Verdict  string                    `json:"verdict,omitempty"`
	}
	estimateObject struct {
		Rounds     int      `json:"rounds"`
		Median     *float64 `json:"median"`
		Low        *float64 `json:"low"`
		High       *float64 `json:"high"`
		Confidence *float64 `json:"confidence"`
	}
)

// Render writes one object: of a summary, or if there is none of the runs. The error is that of w.
func Render(w io.Writer, d *report.Document, _ report.Options) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if d.Summary != nil {
		return enc.Encode(summary(d.Summary))
	}
	all := runsObject{Format: format, Runs: []runObject{}}
	for _, m := range d.Runs {
		all.Runs = append(all.Runs, run(m))
	}
	if len(d.Runs) > 1 {
		for _, a := range report.Answers(d.Runs) {
			all.Answers = append(all.Answers, lockAnswerObject{a.Driver.Name, answer(&a)})
		}
	}
	all.Matrix = matrix(report.NewMatrix(d.Runs))
	return enc.Encode(all)
}

// matrix has an object for each lock and scenario that a run was of.
func matrix(m *report.Matrix) []matrixObject {
	if m == nil {
		return nil
	}
	var all []matrixObject
	for _, l := range m.Lines {
		for i, c := range l.Cells {
			if !c.Absent {
				all = append(all, matrixObject{l.Driver.Name, m.Columns[i].Title, c.Unfenced.Outcome(), c.Fenced.Outcome()})
			}
		}
	}
	return all
}

func run(m *report.Model) runObject {
	r := &m.Run
	run := runObject{
		Dir: m.Dir, Scenario: r.Scenario, Summary: r.Summary, Seed: r.Seed, Round: r.Round, Started: r.Started, Finished: r.Finished,
		Status: r.Status, Reason: r.Reason, Version: r.Version, Commit: r.Commit, Host: r.Host, Settings: r.Settings(),
		Judged: m.Judged, Exit: m.Exit(),
		Tally:   tallyObject{m.Tally.Valid, m.Tally.Unexpected, m.Tally.Expected, m.Tally.Missing, m.Tally.Unknown, m.Tally.NotRun, m.Tally.Failed},
		Drivers: []driverObject{}, Tables: tables(m.Tables), Says: list0(m.Says), Reasons: list0(m.Reasons), Notes: list0(m.Notes),
	}
	if c := r.ProxyCost; !r.Direct && c.ProxyP50 != 0 {
		run.ProxyCost = &proxyCostObject{int64(c.ProxyP50 - c.DirectP50), int64(c.ProxyP99 - c.DirectP99)}
	}
	for i, a := range report.Answers([]*report.Model{m}) {
		d := driver(&m.Rows[i])
		d.Answer = answer(&a)
		run.Drivers = append(run.Drivers, d)
	}
	return run
}

func answer(a *report.Answer) answerObject {
	o := answerObject{Broke: []breachObject{}, Survived: list0(a.Held), Unseen: list0(a.Unseen)}
	for _, f := range a.Fits {
		fit := fitObject{f.Rule.ID, f.Rule.Use, []evidenceObject{}}
		for _, e := range f.Missing {
			fit.Missing = append(fit.Missing, evidenceObject{e.ID, e.What, e.Scenario})
		}
		o.FitFor = append(o.FitFor, fit)
	}
	for _, b := range a.Broke {
		o.Broke = append(o.Broke, breachObject{b.Place, b.Heeding, b.Ignoring, b.Unfenced, b.Fenced})
	}
	return o
}

func driver(r *report.Row) driverObject {
	d := driverObject{
		Name: r.Driver.Name, Title: r.Driver.Title, Backend: r.Driver.Backend, Version: r.Driver.Version, Status: r.Driver.Status,
		Reason: r.Driver.Reason, Servers: r.Driver.Nodes, RoundTrips: r.Driver.RoundTrips, Token: r.Driver.Token,
		Verdicts: map[string]verdictObject{"liveness": verdict(r.Liveness)}, Latency: map[report.Kind]latencyObject{},
		Faults: []behaviourObject{}, Tests: []testObject{},
	}
	if n, ok := report.MeasuredTrips(&r.Driver); ok {
		d.TripsFound = &n
	}
	for _, q := range report.Questions() {
		d.Verdicts[q.Name] = verdict(q.Of(r))
	}
	if n, ok := r.FencedOff(); ok {
		d.FencedOff = &n
	}
	d.LossBy = r.Driver.LossBy
	d.Severity = map[string]severityObject{"heeding": severity(r.SeverityOf(report.Heeding)), "ignoring": severity(r.SeverityOf(report.Ignoring))}
	for _, k := range report.Kinds() {
		d.Latency[k] = latency(r.Of(k))
	}
	for _, b := range r.Behaviours {
		if !b.Absent {
			d.Faults = append(d.Faults, behaviourObject{b.Phase, list0(b.What), b.State, b.Reason, b.Incidents, span(b.Gap), span(b.Typical), span(b.Recovery), underFault(r, b.Phase)})
		}
	}
	for i := range r.Tests {
		d.Tests = append(d.Tests, test(&r.Tests[i]))
	}
	return d
}

func severity(s report.Severity) severityObject {
	o := severityObject{Overlaps: s.Overlaps, Brief: s.Brief, Both: int64(s.Both), Longest: int64(s.Longest), Told: s.Told, Late: s.Late}
	if s.Told > 0 {
		margin := int64(s.Margin)
		o.Margin = &margin
	}
	return o
}

// underFault is the latency under the fault of a phase; nil: nobody asked.
func underFault(r *report.Row, phase string) *latencyObject {
	for i := range r.UnderFault {
		if l := &r.UnderFault[i]; l.Phase == phase {
			found := latency(l.Latency)
			return &found
		}
	}
	return nil
}

func test(t *report.TestRow) testObject {
	test := testObject{
		Name: t.Name, Fenced: t.Fenced, Heeding: t.Heeding, Status: t.Status, Reason: t.Reason, Notes: t.Notes,
		Verdicts: map[string]verdictObject{"exclusion": verdict(t.Exclusion), "data": verdict(t.Data), "liveness": verdict(t.Liveness)},
	}
	if t.Result != nil {
		test.Counts = map[string]int{}
		for _, c := range t.Counts() {
			test.Counts[c.Name] = c.N
		}
	}
	return test
}

func verdict(f report.Finding) verdictObject {
	return verdictObject{f.State, f.Incidents, f.Expected, f.Reason}
}

func latency(l measure.Latency) latencyObject {
	j := latencyObject{
		Samples: l.Samples, NotGranted: l.NotGranted, P50: span(l.Quantile(0.5)), P90: span(l.Quantile(0.9)),
		P99: span(l.Quantile(0.99)), P999: span(l.Quantile(0.999)), Max: span(l.Max()),
	}
	if v, ok := l.Throughput(); ok {
		j.PerSecond = &v
	}
	if l.Samples == 0 {
		j.Reason = l.Reason
	}
	return j
}

// span is the span in nanoseconds; nil: it was not measured.
func span(s measure.Span) *int64 {
	if !s.Measured {
		return nil
	}
	ns := int64(s.D)
	return &ns
}

func tables(all []report.Table) []tableObject {
	tables := []tableObject{}
	for _, t := range all {
		table := tableObject{Title: t.Title, About: t.About, Columns: list0(t.Columns), Lines: []lineObject{}}
		for _, l := range t.Lines {
			line := lineObject{Driver: l.Driver.Name, Cells: [][]string{}, Reason: l.Reason}
			for _, c := range l.Cells {
				line.Cells = append(line.Cells, c.Lines())
			}
			table.Lines = append(table.Lines, line)
		}
		tables = append(tables, table)
	}
	return tables
}

// list0 keeps a list of nothing from being null.
func list0[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func summary(s *report.Summary) summaryObject {
	o := summaryObject{
		Format: format, Title: s.Title, Lead: list0(s.Lead), Says: list0(s.Says), Figures: []figureObject{}, Tables: tables(s.Tables), Sections: []sectionObject{},
	}
	for _, f := range s.Figures {
		figure := figureObject{f.Driver, f.Quantity, f.Unit, map[string]estimateObject{}, f.Verdict}
		for i, e := range f.Estimates {
			figure.Of[cmp.Or(s.Sides[i], "all")] = estimate(e)
		}
		o.Figures = append(o.Figures, figure)
	}
	for _, section := range s.Sections {
		o.Sections = append(o.Sections, sectionObject{section.Heading, list0(section.Paragraphs)})
	}
	return o
}

func estimate(e report.Estimate) estimateObject {
	j := estimateObject{Rounds: e.Rounds}
	if e.Rounds > 0 {
		j.Median = &e.Median
	}
	if e.HasInterval() {
		j.Low, j.High, j.Confidence = &e.Low, &e.High, &e.Confidence
	}
	return j
}
