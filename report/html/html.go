// Package html writes one page that needs nothing else, with plots of latency, of tests over time and of incidents.
package html

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
)

//go:embed page/*.html
var pageTemplates embed.FS

//go:embed page/page.css
var pageStyle string

// Render writes one page: the summary, if there is one, and the runs below it. It needs nothing else: no network, no
// scripts.
func Render(w io.Writer, d *report.Document, _ report.Options) error {
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"class":     func(s report.State) string { return strings.ReplaceAll(string(s), " ", "-") },
		"status":    func(s results.Status) report.State { return report.State(s) },
		"time":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"plural":    units.Plural,
		"bytes":     func(n uint64) string { return units.Number(float64(n)/(1<<30)) + " GiB" },
		"orElse":    cmp.Or[string],
		"prose":     prose,
		"anchored":  func(prefix string, t report.Table) anchoredTable { return anchoredTable{prefix + string(t.ID), t} },
		"shownRuns": func() int { return shownRuns },
		"unbroken":  unbroken,
		"unseen":    report.Unseen,
		"linked":    linked,
		"runAnchor": func(i int) string { return runPrefix(i) + "run" },

		"matrixTitle": func() string { return report.MatrixTitle },
		"matrixAbout": func() string { return report.MatrixAbout },
		"anchor":      anchor,
		"join":        func(all []string) string { return strings.Join(all, " ") },
	}).ParseFS(pageTemplates, "page/*.html")
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	filled, err := newPage(d)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, filled); err != nil {
		return fmt.Errorf("fill the page: %w", err)
	}
	// Texts of servers may hold control characters, which HTML forbids even escaped, and those that turn the order of
	// text around.
	_, err = w.Write(bytes.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, b.Bytes()))
	return err
}

// anchoredTable is a table with the name by which links find it.
type anchoredTable struct {
	Anchor string
	report.Table
}

// notInAnchors is what an anchor had better not hold.
var notInAnchors = regexp.MustCompile(`[^a-z]+`)

// beforeUnit is a blank between a number and its unit.
var beforeUnit = regexp.MustCompile(`(\d) (ns|µs|ms|s|%)`)

// unbroken keeps numbers and their units on one line.
func unbroken(s string) string { return beforeUnit.ReplaceAllString(s, "$1\u00a0$2") }

// prose writes what stands between backquotes as code.
func prose(text string) template.HTML {
	var b strings.Builder
	parts := strings.Split(text, "`")
	for i, part := range parts {
		escaped := template.HTMLEscapeString(part)
		switch {
		case i%2 == 0:
		case i+1 < len(parts):
			escaped = "<code>" + escaped + "</code>"
		default: // it has no second one
			escaped = "`" + escaped
		}
		b.WriteString(escaped)
	}
	return template.HTML(b.String())
}

// linked links the terms of a text to what they mean.
func linked(text string) template.HTML {
	var b strings.Builder
	for _, p := range report.Linked(unbroken(text)) {
		words := template.HTMLEscapeString(p.Text)
		if p.Term != "" {
			words = `<a class="term" href="#term-` + anchor(p.Term) + `">` + words + "</a>"
		}
		b.WriteString(words)
	}
	return template.HTML(b.String())
}

// anchor is the name by which links find a term.
func anchor(s string) string { return notInAnchors.ReplaceAllString(s, "-") }
