package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Format is a way to write a report.
type Format string

// The formats.
const (
	Text     Format = "text"
	CSV      Format = "csv"
	HTML     Format = "html"
	Markdown Format = "markdown"
	JUnit    Format = "junit"
	JSON     Format = "json"
	// Bench is the Go benchmark format, which benchstat reads.
	Bench Format = "bench"
)

// Formats lists the formats by name.
func Formats() []Format { return []Format{Text, CSV, HTML, Markdown, JUnit, JSON, Bench} }

// DocumentFormats lists those that comparisons are written in.
func DocumentFormats() []Format { return []Format{Text, CSV, HTML, Markdown, JSON} }

// ParseFormat reads the name of one of these formats.
func ParseFormat(s string, formats []Format) (Format, error) {
	if f := Format(s); slices.Contains(formats, f) {
		return f, nil
	}
	return "", fmt.Errorf("unknown format %q; there are: %s", s, FormatNames(formats))
}

// FormatNames lists the formats in one line.
func FormatNames(formats []Format) string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// Options are what a reader may choose.
type Options struct {
	// Color lets the text format mark verdicts with terminal colours. No other format looks at it.
	Color bool
}

// Render writes the model in a format.
func Render(w io.Writer, f Format, m *Model, opt Options) error {
	return RenderAll(w, f, []*Model{m}, opt)
}

// RenderAll writes several runs in a format: as text one after another, else all in one.
func RenderAll(w io.Writer, f Format, runs []*Model, opt Options) error {
	switch f {
	case Text:
		for _, m := range runs {
			if err := renderText(w, m, opt); err != nil {
				return err
			}
		}
		return nil
	case CSV:
		return renderCSV(w, runs)
	case HTML:
		return writePage(w, nil, runs)
	case Markdown:
		return renderMarkdown(w, runs)
	case JUnit:
		return renderJUnit(w, runs)
	case JSON:
		return renderJSON(w, runs)
	case Bench:
		return renderBench(w, runs)
	default:
		return fmt.Errorf("unknown format %q", f)
	}
}
