// Package markdown writes GitHub-flavoured Markdown, to be pasted into a pull request or piped into the summary of a
// CI job.
package markdown

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// MaxSize is how many bytes Render writes at the most. GitHub takes 1 MiB for the summary of a job, and drops what is
// longer as a whole; what else the job writes there has to fit, too.
const MaxSize = 1<<20 - 64<<10

// Render writes GitHub-flavoured Markdown of up to MaxSize bytes: what all runs come to, and then run after run. What
// does not fit is counted. The error is that of w.
func Render(w io.Writer, d *report.Document, _ report.Options) error {
	var md, terms markdown
	terms.glossary()
	if d.Summary != nil {
		md.summary(d.Summary)
	} else {
		md.answers(report.Answers(d.Runs))
		md.matrix(report.NewMatrix(d.Runs))
		md.runs(d.Runs, terms.b.Len())
	}
	_, err := io.WriteString(w, md.b.String()+terms.b.String())
	return err
}

// runs writes those runs that fit and leave so many bytes, the first ones first.
func (md *markdown) runs(all []*report.Model, leave int) {
	room := leave + 200 // of the last paragraph
	left := 0
	for _, m := range all {
		var one markdown
		one.run(m)
		if md.b.Len()+one.b.Len() > MaxSize-room {
			left++
			continue
		}
		md.b.WriteString(one.b.String())
	}
	if left > 0 {
		md.paragraph(fmt.Sprintf("%s of %d not shown here, where %d KiB is the most: see %s or %s.",
			units.Plural(left, "run"), len(all), MaxSize>>10, results.ReportFile, results.TextFile))
	}
}

type markdown struct{ b strings.Builder }

func (md *markdown) summary(s *report.Summary) {
	md.heading(2, s.Title)
	for _, p := range s.Lead {
		md.paragraph(escape(p))
	}
	md.list("What this says", s.Says)
	md.tables(s.Tables)
	for _, section := range s.Sections {
		md.list(section.Heading, section.Paragraphs)
	}
}

func (md *markdown) run(m *report.Model) {
	md.heading(2, "lockbench: "+cmp.Or(m.Run.Title(), "unknown scenario"))
	facts := []string{fmt.Sprintf("seed %d", m.Run.Seed)}
	if !m.Run.Started.IsZero() {
		facts = append(facts, m.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if d, ok := m.Duration(); ok {
		facts = append(facts, "took "+units.Duration(d))
	}
	facts = append(facts, "lockbench "+cmp.Or(m.Run.Version, "unknown version"))
	md.paragraph(escape(strings.Join(facts, ", ")))
	md.paragraph(escape(m.Workload()))
	var chips []string
	for _, c := range m.Chips() {
		chips = append(chips, mark(c.State, c.Text))
	}
	md.paragraph(strings.Join(chips, " · "))
	md.list("What this says", m.Says)
	md.comparison(m)
	md.tables(m.Tables)
	md.list("Why not valid", m.Reasons)
	md.list("How to read it", m.Notes)
	if m.Dir != "" {
		md.paragraph("Saved in " + escape(m.Dir))
	}
}

// comparison writes the table of all drivers.
func (md *markdown) comparison(m *report.Model) {
	if len(m.Rows) == 0 {
		return
	}
	md.heading(3, "Comparison")
	header := []string{"Approach", linked("Exclusion, heeding"), linked("Exclusion, ignoring"), linked("Data, unfenced"), linked("Data, fenced"), "p50", "p99"}
	for _, p := range m.FaultPhases {
		header = append(header, linked(p))
	}
	md.row(header)
	md.rule(len(header))
	for i := range m.Rows {
		cells := cells(&m.Rows[i])
		for len(cells) < len(header) {
			cells = append(cells, "")
		}
		md.row(cells)
	}
	md.b.WriteString("\n")
}

func cells(r *report.Row) []string {
	token := "no fencing token"
	if r.Driver.Token != "" {
		token = "token: " + r.Driver.Token
	}
	cells := []string{lines([]string{"**" + escape(r.Driver.Title) + "**", escape(r.ServersAndTrips()), escape(token)})}
	if r.Nothing() {
		return append(cells, lines([]string{mark(report.State(r.Driver.Status), string(r.Driver.Status)), escape(r.Reason())}))
	}
	for _, f := range []report.Finding{r.Heeding, r.Ignoring, r.Unfenced, r.Fenced} {
		words := f.Words()
		if f.Expected {
			words += ", expected"
		}
		cells = append(cells, mark(f.State, words))
	}
	cells = append(cells, r.P50().String(), r.P99().String())
	for _, b := range r.Behaviours {
		words := escape(b.String())
		if b.Absent {
			words = ""
		} else if b.Incidents > 0 {
			words = "**" + words + "**"
		}
		cells = append(cells, words)
	}
	return cells
}

// mark sets in bold what is not as it should be.
func mark(s report.State, words string) string { return bold(s, escape(words)) }

// bold is mark of words that are Markdown already.
func bold(s report.State, words string) string {
	if s == report.Invalid || s == report.Failed || s == report.Unknown || s == report.NotRun {
		return "**" + words + "**"
	}
	return words
}

func (md *markdown) tables(all []report.Table) {
	for _, t := range all {
		md.heading(3, t.Title)
		if t.About != "" {
			md.paragraph(linked(t.About))
		}
		header := []string{"Approach"}
		for _, c := range t.Columns {
			header = append(header, linked(c))
		}
		md.row(header)
		column := "---"
		if t.Numbers {
			column = "---:"
		}
		md.row(append([]string{"---"}, slices.Repeat([]string{column}, len(t.Columns))...))
		for _, line := range t.Lines {
			cells := []string{lines(append([]string{escape(line.Driver.Title)}, report.NonEmpty(escape(line.Under))...))}
			for _, cell := range line.Cells {
				texts := make([]string, len(cell))
				for i, l := range cell {
					texts[i] = mark(l.State, l.Text())
				}
				cells = append(cells, lines(texts))
			}
			if len(line.Cells) == 0 {
				cells = append(cells, measure.Dash+" "+escape(line.Reason))
			}
			for len(cells) < len(header) {
				cells = append(cells, "")
			}
			md.row(cells)
		}
		md.b.WriteString("\n")
	}
}

func (md *markdown) heading(level int, text string) {
	fmt.Fprintf(&md.b, "%s %s\n\n", strings.Repeat("#", level), escape(text))
}

func (md *markdown) paragraph(text string) {
	if text != "" {
		md.b.WriteString(text + "\n\n")
	}
}

func (md *markdown) list(heading string, paragraphs []string) {
	if len(paragraphs) == 0 {
		return
	}
	md.heading(3, heading)
	for _, p := range paragraphs {
		md.b.WriteString("- " + linked(p) + "\n")
	}
	md.b.WriteString("\n")
}

func (md *markdown) row(cells []string) { md.b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }

func (md *markdown) rule(columns int) {
	md.b.WriteString(strings.Repeat("| --- ", columns) + "|\n")
}

// lines puts lines into one cell.
func lines(all []string) string { return strings.Join(all, "<br>") }

// escapes keep any text from being Markdown or HTML: what would be a link, a mention of a person or of an issue is
// broken by a space that is not seen, because the sites that make these look for them after the text was unescaped.
var escapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `|`, `\|`, `~`, `\~`, `$`, `\$`,
	`&`, "&amp;", `<`, "&lt;", `>`, "&gt;",
	`@`, "@\u200b", `#`, "\\#\u200b", `://`, ":\u200b//", `www.`, "www\u200b.",
)

// numbered is the beginning of a line that would make a numbered list.
var numbered = regexp.MustCompile(`^(\d+)([.)])( |$)`)

// escape makes one line of s that shows what s says, and nothing else.
func escape(s string) string { return begin(escapes.Replace(report.Printable(s))) }

// begin keeps the begin of a line that was escaped from making a list or a heading of it.
func begin(s string) string {
	// At the beginning of a line these make a list or a heading.
	if s != "" && strings.ContainsAny(s[:1], "-+=") {
		s = `\` + s
	}
	return numbered.ReplaceAllString(s, `$1\$2$3`)
}
