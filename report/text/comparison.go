package text

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// The columns of the comparison.
var columns = [...]string{firstColumn, "Exclusion", "Data", "Acquire", underFault}

const underFault = "Under a fault"

// faultWidth is the least width of the column that says what a lock did under faults; with less it is a table of its
// own.
const faultWidth = 30

// comparison has a row for each lock: what was found and, if the terminal is wide, what it did under each fault. Else
// that has a table of its own. Where there is no room for a table, each lock has a block.
func (t renderer) comparison(m *report.Model) string {
	if len(m.Rows) == 0 {
		return ""
	}
	g := grid{header: columns[:], ruled: true}
	last, longest := len(columns)-1, 0
	for i := range m.Rows {
		row := t.row(&m.Rows[i])
		g.rows = append(g.rows, row[:])
		for _, line := range row[last] {
			longest = max(longest, lines.Columns(line))
		}
	}
	if widths, ok := g.fit(t.width); ok && longest > 0 && widths[last] >= min(longest, faultWidth) {
		return "Comparison\n\n" + g.write(widths)
	}
	found := g.only([]int{1, 2, 3})
	widths, ok := found.readable(t.width)
	if !ok {
		return "Comparison\n\n" + t.blocks(&g)
	}
	return "Comparison\n\n" + strings.TrimSuffix(found.write(widths)+"\n"+t.faults(m), "\n")
}

// faults is what each lock did under each fault.
func (t renderer) faults(m *report.Model) string {
	extra := report.Table{Title: underFault, Columns: m.FaultPhases}
	late := slices.ContainsFunc(m.Rows, func(r report.Row) bool { return r.Stuck() })
	if late {
		extra.Columns = append(slices.Clone(m.FaultPhases), grantedAgain)
	}
	for i := range m.Rows {
		r := &m.Rows[i]
		line := report.Line{Driver: r.Driver}
		if r.Nothing() {
			line.Reason = string(r.Driver.Status) + ": " + r.Reason()
			extra.Lines = append(extra.Lines, line)
			continue
		}
		for _, b := range r.Behaviours {
			cell := report.Cell{{State: b.Severity(), Value: report.Words(b.Did())}}
			if len(b.What) == 0 {
				cell[0].Value = report.Words(b.String())
			}
			if b.Absent {
				cell = report.CellOf(report.Words(measure.Dash))
			}
			for _, fact := range b.Facts() {
				cell = append(cell, report.CellLine{Value: report.Words(fact)})
			}
			line.Cells = append(line.Cells, cell)
		}
		if late {
			line.Cells = append(line.Cells, report.Cell{{State: r.Liveness.State, Value: report.Words(verdict(r.Liveness))}})
		}
		if len(line.Cells) > 0 {
			extra.Lines = append(extra.Lines, line)
		}
	}
	if len(extra.Lines) == 0 {
		return ""
	}
	return t.table(&extra)
}

const grantedAgain = "granted again"

// row fills the columns of one driver.
func (t renderer) row(r *report.Row) [len(columns)][]string {
	token := "no fencing token"
	if r.Driver.Token != "" {
		token = "token: " + report.Printable(r.Driver.Token)
	}
	approach := []string{report.Printable(r.Driver.Title), report.Complexity(&r.Driver, "trip"), token}
	if r.Nothing() {
		why := []string{t.paint(report.State(r.Driver.Status), string(r.Driver.Status))}
		return [...][]string{approach, why, why, {measure.Dash}, {report.Printable(r.Reason())}}
	}
	data := []string{"unfenced " + t.finding(r.Unfenced), "fenced   " + t.finding(r.Fenced)}
	if r.Fenced.NoToken {
		data[1] = r.Fenced.Word()
	}
	if n, ok := r.FencedOff(); ok && n > 0 {
		data = append(data, fmt.Sprintf("%d refused", n))
	}
	acquire := []string{
		"p50 " + r.Latency.Quantile(0.5).String(), "p99 " + r.Latency.Quantile(0.99).String(), fmt.Sprintf("n %d", r.Latency.Samples),
	}
	if r.Latency.Samples == 0 {
		acquire = []string{measure.Dash}
	}
	var under []string
	for _, b := range r.Behaviours {
		if b.Absent {
			continue
		}
		did := []string{report.Printable(b.Did())}
		if len(b.What) == 0 {
			did[0] = string(b.State)
		}
		for _, fact := range b.Facts() {
			did = append(did, lines.Unbroken(fact))
		}
		under = append(under, report.Printable(b.Phase)+": "+t.paint(b.Severity(), strings.Join(did, "; ")))
	}
	if r.Liveness.State != report.Valid && r.Liveness.State != report.NotApplicable {
		under = append(under, grantedAgain+": "+t.finding(r.Liveness))
	}
	exclusion := []string{"heeding  " + t.finding(r.Heeding), "ignoring " + t.finding(r.Ignoring)}
	return [...][]string{approach, exclusion, data, acquire, under}
}

// finding writes a verdict so that it can be seen without colours.
func (t renderer) finding(f report.Finding) string {
	painted := t.paint(f.State, verdict(f))
	if f.Expected {
		painted += " expected"
	}
	return painted
}

func verdict(f report.Finding) string {
	switch {
	case f.State == report.Invalid && f.Incidents > 0:
		return fmt.Sprintf("INVALID ×%d", f.Incidents)
	case f.State == report.Invalid:
		return "INVALID"
	case f.State == report.NotApplicable:
		return "n/a"
	}
	return string(f.State)
}
