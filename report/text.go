package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

// textWidth is the widest line of the text format.
const textWidth = 120

// columns are those of the text table; two spaces between them make textWidth.
var columns = [...]struct {
	title string
	width int
}{{"Approach", 20}, {"Exclusion", 21}, {"Data", 21}, {"Acquire", 12}, {"Under a fault", 37}}

// textRenderer writes the table for a terminal.
type textRenderer struct{ color bool }

func renderText(w io.Writer, m *Model, opt Options) error {
	t := textRenderer{opt.Color}
	var b strings.Builder
	b.WriteString(t.head(m))
	b.WriteString(t.table(m))
	b.WriteString("\n\n")
	for i := range m.Tables {
		b.WriteString(t.extra(&m.Tables[i]))
	}
	section(&b, "What this says", m.Says)
	section(&b, "Why not valid", m.Reasons)
	section(&b, "How to read it", m.Notes)
	if m.Dir != "" {
		fmt.Fprintf(&b, "Saved in %s\n", printable(m.Dir))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t textRenderer) head(m *Model) string {
	parts := []string{"scenario " + m.Run.Title(), fmt.Sprintf("seed %d", m.Run.Seed), m.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC")}
	if d, ok := m.Duration(); ok {
		parts = append(parts, "took "+units.Duration(d))
	}
	if m.Run.Status != results.Complete {
		parts = append(parts, strings.ToUpper(orElse(string(m.Run.Status), "incomplete")))
	}
	head := text.WrapSoft(printable("lockbench: "+strings.Join(parts, ", ")), textWidth) + "\n"
	if w := m.Workload(); w != "" {
		head += paragraph(w)
	}
	return head + "\n"
}

func (t textRenderer) table(m *Model) string {
	w := newTable()
	var header table.Row
	for _, c := range columns {
		header = append(header, text.Pad(c.title, c.width, ' '))
	}
	w.AppendHeader(header)
	for i := range m.Rows {
		var row table.Row
		for n, cell := range t.row(&m.Rows[i]) {
			row = append(row, wrap(cell, columns[n].width))
		}
		w.AppendRow(row)
	}
	return w.Render()
}

func newTable() table.Writer {
	w := table.NewWriter()
	w.SetStyle(table.StyleLight)
	w.Style().Format.Header = text.FormatDefault
	w.Style().Options = table.Options{SeparateHeader: true, SeparateRows: true, SeparateColumns: true}
	w.Style().Box = table.StyleBoxLight
	w.Style().Box.PaddingLeft, w.Style().Box.PaddingRight = "", " "
	w.Style().Box.MiddleVertical, w.Style().Box.MiddleSeparator = " ", "─"
	w.SuppressTrailingSpaces()
	return w
}

// wrap fits every line of a cell into the width; what does not fit goes on indented.
func wrap(lines []string, width int) string {
	var all []string
	for _, line := range lines {
		if text.StringWidthWithoutEscSequences(line) <= width {
			all = append(all, line)
			continue
		}
		for i, part := range strings.Split(text.WrapSoft(line, width-2), "\n") {
			if part = strings.TrimRight(part, " "); i > 0 {
				part = "  " + part
			}
			all = append(all, part)
		}
	}
	return strings.Join(all, "\n")
}

// row returns the lines of each cell.
func (t textRenderer) row(r *Row) [len(columns)][]string {
	token := "no fencing token"
	if r.Driver.Token != "" {
		token = "token: " + printable(r.Driver.Token)
	}
	approach := []string{printable(r.Driver.Title), complexity(&r.Driver, "trip"), token}
	if r.nothing() {
		why := []string{t.paint(State(r.Driver.Status), string(r.Driver.Status))}
		return [...][]string{approach, why, why, {dash}, {printable(orElse(r.Driver.Reason, "no reason was recorded"))}}
	}
	data := []string{"unfenced " + t.finding(r.Unfenced), "fenced   " + t.finding(r.Fenced)}
	if r.Fenced.Reason == cannotBeFenced {
		data[1] = r.Fenced.word()
	}
	if n, ok := r.FencedOff(); ok && n > 0 {
		data = append(data, fmt.Sprintf("%d refused", n))
	}
	acquire := []string{"p50 " + r.Latency.Quantile(0.5).String(), "p99 " + r.Latency.Quantile(0.99).String(), fmt.Sprintf("n %d", r.Latency.Samples)}
	if r.Latency.Samples == 0 {
		acquire = []string{dash}
	}
	var under []string
	for _, b := range r.Behaviours {
		if b.Absent {
			continue
		}
		under = append(under, printable(b.Phase)+": "+t.paint(b.severity(), printable(b.String())))
	}
	if r.Liveness.State != Valid && r.Liveness.State != NotApplicable {
		under = append(under, "granted again: "+t.finding(r.Liveness))
	}
	exclusion := []string{"heeding  " + t.finding(r.Heeding), "ignoring " + t.finding(r.Ignoring)}
	return [...][]string{approach, exclusion, data, acquire, under}
}

// finding writes a finding into a few letters.
func (t textRenderer) finding(f Finding) string {
	s := string(f.State)
	if f.State == Invalid {
		s = "INVALID"
		if f.Incidents > 0 {
			s += fmt.Sprintf(" ×%d", f.Incidents)
		}
	}
	if f.State == NotApplicable {
		s = "n/a"
	}
	s = t.paint(f.State, s)
	if f.Expected {
		s += " expected"
	}
	return s
}

func (t textRenderer) paint(s State, words string) string {
	if !t.color {
		return words
	}
	var c text.Colors
	switch s {
	case Valid:
		c = text.Colors{text.FgGreen}
	case Invalid, Failed:
		c = text.Colors{text.FgRed, text.Bold}
	case Unknown, NotRun:
		c = text.Colors{text.FgYellow}
	case NotApplicable:
		return words
	default:
		return words // no answer to anything
	}
	return c.EscapeSeq() + words + text.Reset.EscapeSeq()
}

// section writes paragraphs under a heading.
func section(b *strings.Builder, heading string, paragraphs []string) {
	if len(paragraphs) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n", heading)
	for _, p := range paragraphs {
		wrapped := text.WrapSoft(printable(p), textWidth-4)
		for i, line := range strings.Split(wrapped, "\n") {
			lead := "    "
			if i == 0 {
				lead = "  - "
			}
			b.WriteString(lead + strings.TrimRight(line, " ") + "\n")
		}
	}
	b.WriteString("\n")
}

// printable makes one line of s, valid UTF-8 without control characters, which could steer a terminal.
func printable(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	}), " ")
}
