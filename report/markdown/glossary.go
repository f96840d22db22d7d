package markdown

import (
	"strings"

	"github.com/lockbench/lockbench/report"
)

// glossary says what the terms mean, each below a heading of its own, so that it can be linked.
func (md *markdown) glossary() {
	md.heading(2, "Terms")
	for _, t := range report.Glossary() {
		md.heading(4, t.Name)
		md.paragraph(escape(t.Meaning))
	}
}

// linked is escaped, and its terms are links to what they mean.
func linked(text string) string {
	var b strings.Builder
	for _, p := range report.Linked(report.Printable(text)) {
		words := escapes.Replace(p.Text)
		if p.Term != "" {
			words = "[" + words + "](#" + anchor(p.Term) + ")"
		}
		b.WriteString(words)
	}
	return begin(b.String())
}

// anchor is what GitHub makes of a heading: small letters, blanks as hyphens, no commas.
func anchor(heading string) string {
	return strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(heading))
}
