package report

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/units"
)

// markdown writes GitHub-flavoured Markdown, to be pasted into a pull request or piped into the summary of a CI job.
type markdown struct{ b strings.Builder }

func renderMarkdown(w io.Writer, runs []*Model) error {
	var md markdown
	for _, m := range runs {
		md.run(m)
	}
	_, err := io.WriteString(w, md.b.String())
	return err
}

func renderDocumentMarkdown(w io.Writer, d *Document) error {
	var md markdown
	md.heading(2, d.Title)
	for _, p := range d.Lead {
		md.paragraph(escapeMarkdown(p))
	}
	md.list("What this says", d.Says)
	md.tables(d.Tables)
	for _, s := range d.Sections {
		md.list(s.Heading, s.Paragraphs)
	}
	_, err := io.WriteString(w, md.b.String())
	return err
}

func (md *markdown) run(m *Model) {
	md.heading(2, "lockbench: "+orElse(m.Run.Title(), "unknown scenario"))
	facts := []string{fmt.Sprintf("seed %d", m.Run.Seed)}
	if !m.Run.Started.IsZero() {
		facts = append(facts, m.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if d, ok := m.Duration(); ok {
		facts = append(facts, "took "+units.Duration(d))
	}
	facts = append(facts, "lockbench "+orElse(m.Run.Version, "unknown version"))
	md.paragraph(escapeMarkdown(strings.Join(facts, ", ")))
	md.paragraph(escapeMarkdown(m.Workload()))
	var chips []string
	for _, c := range m.Chips() {
		chips = append(chips, markdownState(c.State, c.Text))
	}
	md.paragraph(strings.Join(chips, " · "))
	md.list("What this says", m.Says)
	md.comparison(m)
	md.tables(m.Tables)
	md.list("Why not valid", m.Reasons)
	md.list("How to read it", m.Notes)
	if m.Dir != "" {
		md.paragraph("Saved in " + escapeMarkdown(m.Dir))
	}
}

// comparison writes the table of all drivers.
func (md *markdown) comparison(m *Model) {
	if len(m.Rows) == 0 {
		return
	}
	md.heading(3, "Comparison")
	header := []string{"Approach", "Exclusion, heeding", "Exclusion, ignoring", "Data, unfenced", "Data, fenced", "p50", "p99"}
	for _, p := range m.FaultPhases {
		header = append(header, escapeMarkdown(p))
	}
	md.row(header)
	md.rule(len(header))
	for i := range m.Rows {
		cells := m.Rows[i].markdownCells()
		for len(cells) < len(header) {
			cells = append(cells, "")
		}
		md.row(cells)
	}
	md.b.WriteString("\n")
}

func (r *Row) markdownCells() []string {
	token := "no fencing token"
	if r.Driver.Token != "" {
		token = "token: " + r.Driver.Token
	}
	cells := []string{markdownLines([]string{"**" + escapeMarkdown(r.Driver.Title) + "**", escapeMarkdown(r.ServersAndTrips()), escapeMarkdown(token)})}
	if r.nothing() {
		return append(cells, markdownLines([]string{markdownState(State(r.Driver.Status), string(r.Driver.Status)), escapeMarkdown(r.Reason())}))
	}
	for _, f := range []Finding{r.Heeding, r.Ignoring, r.Unfenced, r.Fenced} {
		words := f.Words()
		if f.Expected {
			words += ", expected"
		}
		cells = append(cells, markdownState(f.State, words))
	}
	cells = append(cells, r.P50().String(), r.P99().String())
	for _, b := range r.Behaviours {
		words := escapeMarkdown(b.String())
		if b.Absent {
			words = ""
		} else if b.Incidents > 0 {
			words = "**" + words + "**"
		}
		cells = append(cells, words)
	}
	return cells
}

// markdownState sets in bold what is not as it should be.
func markdownState(s State, words string) string {
	words = escapeMarkdown(words)
	if s == Invalid || s == Failed || s == Unknown || s == NotRun {
		return "**" + words + "**"
	}
	return words
}

func (md *markdown) tables(all []Table) {
	for _, t := range all {
		md.heading(3, t.Title)
		if t.About != "" {
			md.paragraph(escapeMarkdown(t.About))
		}
		header := []string{"Approach"}
		for _, c := range t.Columns {
			header = append(header, escapeMarkdown(c))
		}
		md.row(header)
		column := "---"
		if t.Numbers {
			column = "---:"
		}
		md.row(append([]string{"---"}, slices.Repeat([]string{column}, len(t.Columns))...))
		for _, line := range t.Lines {
			cells := []string{markdownLines(append([]string{escapeMarkdown(line.Driver.Title)}, nonEmpty(escapeMarkdown(line.Complexity))...))}
			for _, cell := range line.Cells {
				lines := make([]string, len(cell))
				for i, l := range cell {
					lines[i] = markdownState(l.State, l.Text)
				}
				cells = append(cells, markdownLines(lines))
			}
			if len(line.Cells) == 0 {
				cells = append(cells, dash+" "+escapeMarkdown(line.Reason))
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
	fmt.Fprintf(&md.b, "%s %s\n\n", strings.Repeat("#", level), escapeMarkdown(text))
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
		md.b.WriteString("- " + escapeMarkdown(p) + "\n")
	}
	md.b.WriteString("\n")
}

func (md *markdown) row(cells []string) { md.b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }

func (md *markdown) rule(columns int) {
	md.b.WriteString(strings.Repeat("| --- ", columns) + "|\n")
}

// markdownLines puts lines into one cell.
func markdownLines(lines []string) string { return strings.Join(lines, "<br>") }

// markdownEscapes keep any text from being Markdown or HTML: what would be a link, a mention of a person or of an issue is broken by
// a space that is not seen, because the sites that make these look for them after the text was unescaped.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `|`, `\|`, `~`, `\~`, `$`, `\$`,
	`&`, "&amp;", `<`, "&lt;", `>`, "&gt;",
	`@`, "@\u200b", `#`, "\\#\u200b", `://`, ":\u200b//", `www.`, "www\u200b.",
)

// numbered is the beginning of a line that would make a numbered list.
var numbered = regexp.MustCompile(`^(\d+)([.)])( |$)`)

// escapeMarkdown makes one line of s that shows what s says, and nothing else.
func escapeMarkdown(s string) string {
	s = markdownEscapes.Replace(printable(s))
	// At the beginning of a line these make a list or a heading.
	if s != "" && strings.ContainsAny(s[:1], "-+=") {
		s = `\` + s
	}
	return numbered.ReplaceAllString(s, `$1\$2$3`)
}
