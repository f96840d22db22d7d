package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

// Document is tables and paragraphs about more than one run.
type Document struct {
	Title string
	// Lead says what the document is about.
	Lead []string
	// Says is what the tables mean, in whole sentences.
	Says     []string
	Tables   []Table
	Sections []Section
	// Figures are the numbers behind the tables, for programs. Sides names what each has an estimate for: nothing, or "a" and "b".
	Figures []Figure
	Sides   []string
}

// Figure is one number of one driver.
type Figure struct {
	Driver string
	// Quantity is what was measured ("acquire_p99", "data_fenced_incidents"), Unit its unit ("ns", "incidents a round").
	Quantity, Unit string
	// Estimates has one for each of the document's sides.
	Estimates []Estimate
	// Verdict is "lower", "higher" or "overlap": how the second estimate lies to the first; empty: there is none.
	Verdict string
}

// Section is paragraphs under a heading.
type Section struct {
	Heading    string
	Paragraphs []string
}

// tableOf makes a table with a line for each row.
func tableOf[Row any](id results.Table, title string, columns []string, rows []Row, line func(*Row) Line) Table {
	t := Table{ID: id, Title: title, Columns: columns}
	for i := range rows {
		t.Lines = append(t.Lines, line(&rows[i]))
	}
	return t
}

// section adds a section, unless it is empty.
func (d *Document) section(heading string, paragraphs []string) {
	if len(paragraphs) > 0 {
		d.Sections = append(d.Sections, Section{heading, paragraphs})
	}
}

// RenderDocument writes a document in a format.
func RenderDocument(w io.Writer, f Format, d *Document, opt Options) error {
	switch f {
	case Text:
		return renderDocumentText(w, d, opt)
	case CSV:
		return renderDocumentCSV(w, d)
	case HTML:
		return writePage(w, d, nil)
	case Markdown:
		return renderDocumentMarkdown(w, d)
	case JSON:
		return renderDocumentJSON(w, d)
	case JUnit, Bench:
	}
	return fmt.Errorf("there is no %s of a comparison", f)
}

func renderDocumentText(w io.Writer, d *Document, opt Options) error {
	t := textRenderer{opt.Color}
	var b strings.Builder
	b.WriteString(paragraph("lockbench: "+d.Title) + "\n")
	for _, p := range d.Lead {
		b.WriteString(paragraph(p))
	}
	b.WriteString("\n")
	for i := range d.Tables {
		b.WriteString(t.extra(&d.Tables[i]))
	}
	section(&b, "What this says", d.Says)
	for _, s := range d.Sections {
		section(&b, s.Heading, s.Paragraphs)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// paragraph wraps lines of a text.
func paragraph(s string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text.WrapSoft(printable(s), textWidth), "\n") {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// formatNanoseconds writes nanoseconds with three significant digits and a unit.
func formatNanoseconds(ns float64) string { return units.Duration(time.Duration(math.Round(ns))) }
