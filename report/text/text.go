// Package text writes a report for the terminal.
package text

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
)

// Render writes the summary or, if there is none, the runs one after another. The error is that of w.
func Render(w io.Writer, d *report.Document, opt report.Options) error {
	t := newRenderer(opt)
	var b strings.Builder
	switch {
	case d.Summary != nil:
		t.summary(&b, d.Summary)
	case len(d.Runs) == 1:
		t.run(&b, d.Runs[0], t.answers(report.Answers(d.Runs)))
	default:
		b.WriteString(t.overview(d.Runs))
		for _, m := range d.Runs {
			t.run(&b, m, "")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Overview writes what several runs come to, and nothing of any single one. The error is that of w.
func Overview(w io.Writer, d *report.Document, opt report.Options) error {
	_, err := io.WriteString(w, newRenderer(opt).overview(d.Runs))
	return err
}

// overview is what runs come to together: the answers, and the matrix if they are of several scenarios.
func (t renderer) overview(runs []*report.Model) string {
	return t.answers(report.Answers(runs)) + t.matrix(report.NewMatrix(runs))
}

func (t renderer) summary(b *strings.Builder, s *report.Summary) {
	b.WriteString(t.paragraph("lockbench: "+s.Title) + "\n")
	for _, p := range s.Lead {
		b.WriteString(t.paragraph(p))
	}
	b.WriteString("\n")
	for i := range s.Tables {
		b.WriteString(t.table(&s.Tables[i]))
	}
	t.section(b, "What this says", s.Says)
	for _, one := range s.Sections {
		t.section(b, one.Heading, one.Paragraphs)
	}
}

// run writes one run, with the answers below its head.
func (t renderer) run(b *strings.Builder, m *report.Model, answers string) {
	b.WriteString(t.head(m) + answers + t.comparison(m) + "\n")
	t.section(b, "What this says", m.Says)
	t.section(b, "Why not valid", m.Doubts())
	for i := range m.Tables {
		b.WriteString(t.table(&m.Tables[i]))
	}
	t.section(b, "How to read it", m.Notes)
	if m.Dir != "" {
		saved := "Saved in " + report.Printable(m.Dir)
		if lines.Columns(saved) > t.width { // the path is never broken: it is there to be copied
			saved = strings.Replace(saved, " in ", " in\n", 1)
		}
		b.WriteString(saved + "\n")
	}
}

func (t renderer) head(m *report.Model) string {
	parts := []string{"scenario " + m.Run.Title(), fmt.Sprintf("seed %d", m.Run.Seed), m.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC")}
	if d, ok := m.Duration(); ok {
		parts = append(parts, "took "+units.Duration(d))
	}
	if m.Run.Status != results.Complete {
		parts = append(parts, strings.ToUpper(cmp.Or(string(m.Run.Status), "incomplete")))
	}
	head := t.paragraph("lockbench: " + strings.Join(parts, ", "))
	if w := m.Workload(); w != "" {
		head += t.paragraph(w)
	}
	return head + "\n"
}

// paint colours words by what they say, if the reader's terminal does.
func (t renderer) paint(s report.State, words string) string { return Paint(t.color, s, words) }

// Paint colours words by what they say, if colours are wanted.
func Paint(color bool, s report.State, words string) string {
	if !color {
		return words
	}
	var c text.Colors
	switch s {
	case report.Valid:
		c = text.Colors{text.FgGreen}
	case report.Invalid, report.Failed:
		c = text.Colors{text.FgRed, text.Bold}
	case report.Unknown, report.NotRun:
		c = text.Colors{text.FgYellow}
	case report.NotApplicable:
		return words
	default:
		return words // no answer to anything
	}
	return c.EscapeSeq() + words + text.Reset.EscapeSeq()
}
