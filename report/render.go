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
	Text Format = "text"
	CSV  Format = "csv"
	HTML Format = "html"
)

// Formats lists the formats by name.
func Formats() []Format { return []Format{Text, CSV, HTML} }

// ParseFormat reads a format's name.
func ParseFormat(s string) (Format, error) {
	if f := Format(s); slices.Contains(Formats(), f) {
		return f, nil
	}
	names := make([]string, len(Formats()))
	for i, f := range Formats() {
		names[i] = string(f)
	}
	return "", fmt.Errorf("unknown format %q; there are: %s", s, strings.Join(names, ", "))
}

// Options are what a reader may choose.
type Options struct {
	// Color lets the text format mark verdicts with terminal colours. No other format looks at it.
	Color bool
}

// Render writes the model in a format.
func Render(w io.Writer, f Format, m *Model, opt Options) error {
	switch f {
	case Text:
		return renderText(w, m, opt)
	case CSV:
		return renderCSV(w, m)
	case HTML:
		return RenderPage(w, []*Model{m})
	default:
		return fmt.Errorf("unknown format %q", f)
	}
}
