package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/lockbench/lockbench/internal/results"
)

// jsonFormat is the version of what renderJSON and renderDocumentJSON write; docs/results.md describes it.
const jsonFormat = 1

// The objects of a report as JSON. They are types of their own, so that no change of the model changes the format.
type (
	jsonReport struct {
		Format int       `json:"format"`
		Runs   []jsonRun `json:"runs"`
	}
	jsonRun struct {
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
		Tally     jsonTally         `json:"tally"`
		Drivers   []jsonDriver      `json:"drivers"`
		Tables    []jsonTable       `json:"tables"`
		Says      []string          `json:"says"`
		Reasons   []string          `json:"reasons"`
		Notes     []string          `json:"notes"`
		ProxyCost *jsonProxyCost    `json:"proxy_cost"`
	}
	jsonTally struct {
		Valid      int `json:"valid"`
		Unexpected int `json:"violations_unexpected"`
		Expected   int `json:"violations_expected"`
		Missing    int `json:"violations_missing"`
		Unknown    int `json:"unknown"`
		NotRun     int `json:"not_run"`
		Failed     int `json:"failed"`
	}
	jsonProxyCost struct {
		P50 int64 `json:"p50_ns"`
		P99 int64 `json:"p99_ns"`
	}
	jsonDriver struct {
		Name       string                 `json:"name"`
		Title      string                 `json:"title"`
		Backend    string                 `json:"backend"`
		Version    string                 `json:"version"`
		Status     results.Status         `json:"status"`
		Reason     string                 `json:"reason,omitempty"`
		Servers    int                    `json:"servers"`
		RoundTrips int                    `json:"round_trips"`
		TripsFound *int                   `json:"round_trips_measured"`
		Token      string                 `json:"token"`
		Verdicts   map[string]jsonVerdict `json:"verdicts"`
		FencedOff  *int                   `json:"fenced_off"`
		Latency    map[Kind]jsonLatency   `json:"latency"`
		Faults     []jsonBehaviour        `json:"under_fault"`
		Tests      []jsonTest             `json:"tests"`
	}
	jsonVerdict struct {
		State     State  `json:"state"`
		Incidents int    `json:"incidents"`
		Expected  bool   `json:"expected,omitempty"`
		Reason    string `json:"reason,omitempty"`
	}
	jsonLatency struct {
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
	jsonBehaviour struct {
		Phase     string `json:"phase"`
		What      []What `json:"what"`
		State     State  `json:"state"`
		Reason    string `json:"reason,omitempty"`
		Incidents int    `json:"incidents"`
		Gap       *int64 `json:"gap_ns"`
		Typical   *int64 `json:"p50_ns"`
		Recovery  *int64 `json:"recovery_ns"`
	}
	jsonTest struct {
		Name     string                 `json:"name"`
		Fencing  bool                   `json:"fencing"`
		HeedLost bool                   `json:"heed_lost"`
		Status   results.Status         `json:"status"`
		Reason   string                 `json:"reason,omitempty"`
		Verdicts map[string]jsonVerdict `json:"verdicts"`
		Counts   map[string]int         `json:"counts"`
		Notes    []string               `json:"notes,omitempty"`
	}
	jsonTable struct {
		Title   string     `json:"title"`
		About   string     `json:"about,omitempty"`
		Columns []string   `json:"columns"`
		Lines   []jsonLine `json:"lines"`
	}
	jsonLine struct {
		Driver string     `json:"driver"`
		Cells  [][]string `json:"cells"`
		Reason string     `json:"reason,omitempty"`
	}
	jsonDocument struct {
		Format   int           `json:"format"`
		Title    string        `json:"title"`
		Lead     []string      `json:"lead"`
		Says     []string      `json:"says"`
		Figures  []jsonFigure  `json:"figures"`
		Tables   []jsonTable   `json:"tables"`
		Sections []jsonSection `json:"sections"`
	}
	jsonSection struct {
		Heading    string   `json:"heading"`
		Paragraphs []string `json:"paragraphs"`
	}
	jsonFigure struct {
		Driver   string                  `json:"driver"`
		Quantity string                  `json:"quantity"`
		Unit     string                  `json:"unit"`
		Of       map[string]jsonEstimate `json:"of"`
		Verdict  string                  `json:"verdict,omitempty"`
	}
	jsonEstimate struct {
		Rounds     int      `json:"rounds"`
		Median     *float64 `json:"median"`
		Low        *float64 `json:"low"`
		High       *float64 `json:"high"`
		Confidence *float64 `json:"confidence"`
	}
)

// renderJSON writes all runs as one object.
func renderJSON(w io.Writer, runs []*Model) error {
	all := jsonReport{Format: jsonFormat, Runs: []jsonRun{}}
	for _, m := range runs {
		all.Runs = append(all.Runs, m.json())
	}
	return encodeJSON(w, all)
}

// encodeJSON writes one value for people and programs.
func encodeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func (m *Model) json() jsonRun {
	r := &m.Run
	run := jsonRun{
		Dir: m.Dir, Scenario: r.Scenario, Summary: r.Summary, Seed: r.Seed, Round: r.Round, Started: r.Started, Finished: r.Finished,
		Status: r.Status, Reason: r.Reason, Version: r.Version, Commit: r.Commit, Host: r.Host, Settings: r.Settings,
		Judged: m.Judged, Exit: m.Tally.ExitCode(),
		Tally:   jsonTally{m.Tally.Valid, m.Tally.Unexpected, m.Tally.Expected, m.Tally.Missing, m.Tally.Unknown, m.Tally.NotRun, m.Tally.Failed},
		Drivers: []jsonDriver{}, Tables: jsonTables(m.Tables), Says: list0(m.Says), Reasons: list0(m.Reasons), Notes: list0(m.Notes),
	}
	if run.Settings == nil {
		run.Settings = map[string]string{}
	}
	if c := r.ProxyCost; !r.Direct && c.ProxyP50 != 0 {
		run.ProxyCost = &jsonProxyCost{int64(c.ProxyP50 - c.DirectP50), int64(c.ProxyP99 - c.DirectP99)}
	}
	for i := range m.Rows {
		run.Drivers = append(run.Drivers, m.Rows[i].json())
	}
	return run
}

func (r *Row) json() jsonDriver {
	d := jsonDriver{
		Name: r.Driver.Name, Title: r.Driver.Title, Backend: r.Driver.Backend, Version: r.Driver.Version, Status: r.Driver.Status,
		Reason: r.Driver.Reason, Servers: r.Driver.Nodes, RoundTrips: r.Driver.RoundTrips, Token: r.Driver.Token,
		Verdicts: map[string]jsonVerdict{"liveness": r.Liveness.json()}, Latency: map[Kind]jsonLatency{},
		Faults: []jsonBehaviour{}, Tests: []jsonTest{},
	}
	if n, ok := measuredTrips(&r.Driver); ok {
		d.TripsFound = &n
	}
	for _, q := range questions() {
		d.Verdicts[q.name] = q.of(r).json()
	}
	if n, ok := r.FencedOff(); ok {
		d.FencedOff = &n
	}
	for _, k := range Kinds() {
		d.Latency[k] = r.Of(k).json()
	}
	for _, b := range r.Behaviours {
		if !b.Absent {
			d.Faults = append(d.Faults, jsonBehaviour{b.Phase, list0(b.What), b.State, b.Reason, b.Incidents, b.Gap.json(), b.Typical.json(), b.Recovery.json()})
		}
	}
	for i := range r.Tests {
		d.Tests = append(d.Tests, r.Tests[i].json())
	}
	return d
}

func (t *TestRow) json() jsonTest {
	test := jsonTest{
		Name: t.Name, Fencing: t.Fencing, HeedLost: t.HeedLost, Status: t.Status, Reason: t.Reason, Notes: t.Notes,
		Verdicts: map[string]jsonVerdict{"exclusion": t.Exclusion.json(), "data": t.Data.json(), "liveness": t.Liveness.json()},
	}
	if t.Result != nil {
		test.Counts = map[string]int{}
		for _, c := range t.Counts() {
			test.Counts[c.Name] = c.N
		}
	}
	return test
}

func (f Finding) json() jsonVerdict { return jsonVerdict{f.State, f.Incidents, f.Expected, f.Reason} }

func (l Latency) json() jsonLatency {
	j := jsonLatency{
		Samples: l.Samples, NotGranted: l.NotGranted, P50: l.Quantile(0.5).json(), P90: l.Quantile(0.9).json(),
		P99: l.Quantile(0.99).json(), P999: l.Quantile(0.999).json(), Max: l.Max().json(),
	}
	if v, ok := l.Throughput(); ok {
		j.PerSecond = &v
	}
	if l.Samples == 0 {
		j.Reason = l.Reason
	}
	return j
}

// json is the span in nanoseconds; nil: it was not measured.
func (s Span) json() *int64 {
	if !s.Measured {
		return nil
	}
	ns := int64(s.D)
	return &ns
}

func jsonTables(all []Table) []jsonTable {
	tables := []jsonTable{}
	for _, t := range all {
		table := jsonTable{Title: t.Title, About: t.About, Columns: list0(t.Columns), Lines: []jsonLine{}}
		for _, l := range t.Lines {
			line := jsonLine{Driver: l.Driver.Name, Cells: [][]string{}, Reason: l.Reason}
			for _, c := range l.Cells {
				line.Cells = append(line.Cells, c.texts())
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

func renderDocumentJSON(w io.Writer, d *Document) error {
	doc := jsonDocument{
		Format: jsonFormat, Title: d.Title, Lead: list0(d.Lead), Says: list0(d.Says), Figures: []jsonFigure{}, Tables: jsonTables(d.Tables), Sections: []jsonSection{},
	}
	for _, f := range d.Figures {
		figure := jsonFigure{f.Driver, f.Quantity, f.Unit, map[string]jsonEstimate{}, f.Verdict}
		for i, e := range f.Estimates {
			figure.Of[orElse(d.Sides[i], "all")] = e.json()
		}
		doc.Figures = append(doc.Figures, figure)
	}
	for _, s := range d.Sections {
		doc.Sections = append(doc.Sections, jsonSection{s.Heading, list0(s.Paragraphs)})
	}
	return encodeJSON(w, doc)
}

func (e Estimate) json() jsonEstimate {
	j := jsonEstimate{Rounds: e.Rounds}
	if e.Rounds > 0 {
		j.Median = &e.Median
	}
	if e.HasInterval() {
		j.Low, j.High, j.Confidence = &e.Low, &e.High, &e.Confidence
	}
	return j
}
