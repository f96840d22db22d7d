// Package lines breaks text for a terminal of so many columns.
package lines

import (
	"regexp"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Columns is how many columns the longest line of a text takes. Colours take none.
func Columns(s string) int {
	longest := 0
	for line := range strings.SplitSeq(s, "\n") {
		longest = max(longest, text.StringWidthWithoutEscSequences(line))
	}
	return longest
}

// kept stands for a blank at which no line breaks.
const kept = "\ue000"

// Unbroken has Hang keep a text on one line, if it fits.
func Unbroken(s string) string { return strings.ReplaceAll(s, " ", kept) }

// Fits reports whether a line takes at most that many columns, or is a path by itself.
func Fits(line string, width int) bool {
	line = strings.TrimRight(line, "\n")
	return Columns(line) <= width || len(strings.Fields(line)) == 1 && strings.Contains(line, "/")
}

// label and unit are what belongs to a number before and behind it.
var (
	label = regexp.MustCompile(`(\bn|\bp[0-9.]+|\bmax) [0-9]`)
	unit  = regexp.MustCompile(`[0-9] (ns|µs|ms|s|min|h|%)`)
)

// Glue has Hang keep figures of at most that many columns on one line: "p99 4.20 ms".
func Glue(s string, most int) string {
	for _, figure := range []*regexp.Regexp{unit, label} {
		s = figure.ReplaceAllStringFunc(s, Unbroken)
	}
	for word := range strings.FieldsSeq(s) {
		if strings.Contains(word, kept) && Columns(word) > most {
			s = strings.Replace(s, word, strings.ReplaceAll(word, kept, " "), 1)
		}
	}
	return s
}

// padding is what wrapping leaves at the end of a coloured line.
var padding = regexp.MustCompile(` +(\x1b\[0m)$`)

// Hang breaks a line that is longer than width. first stands before its first part and rest before the others. A word
// that is longer than a line is broken, too, unless it is a path, which is there to be copied.
func Hang(line string, width int, first, rest string) []string {
	if Columns(first+line) <= width {
		return []string{first + strings.ReplaceAll(line, kept, " ")}
	}
	var all []string
	lead := first
	for _, part := range wrapped(line, max(width-max(Columns(first), Columns(rest)), 1)) {
		part = strings.TrimRight(strings.ReplaceAll(part, kept, " "), " ")
		all = append(all, lead+padding.ReplaceAllString(part, "$1"))
		lead = rest
	}
	return all
}

// wrapped are the parts of a line, of that width at most.
func wrapped(line string, width int) []string {
	for word := range strings.FieldsSeq(line) {
		if strings.Contains(word, "/") && Columns(word) > width {
			before, after, _ := strings.Cut(line, word)
			all := []string{word}
			if strings.TrimSpace(before) != "" {
				all = append(wrapped(before, width), word)
			}
			if after = strings.TrimLeft(after, " "); after != "" {
				all = append(all, wrapped(after, width)...)
			}
			return all
		}
	}
	glued := Glue(line, width)
	all := text.WrapSoft(glued, width)
	if Columns(all) > width { // it broke a word of characters that take two columns, one too late
		all = text.WrapSoft(glued, max(width-1, 1))
	}
	return strings.Split(all, "\n")
}

// Entry is a label, and what there is to say about it, a line each.
type Entry struct {
	Label string
	Lines []string
}

// Beside writes the entries with their labels in a column of their own. A label with a word that is too long for it has
// a line of its own.
func Beside(entries []Entry, width int) string {
	most := min(width/3, max(width/4, 18))
	label := 0
	for _, e := range entries {
		if n := Columns(e.Label); n <= most {
			label = max(label, n)
		} else if longest(e.Label) <= most { // it wraps
			label = most
		}
	}
	indent := label + 4
	var b strings.Builder
	for _, e := range entries {
		labels := Hang(e.Label, label+2, "  ", "  ")
		if longest(e.Label) > label {
			b.WriteString(strings.Join(Hang(e.Label, width, "  ", "  "), "\n") + "\n")
			labels = nil
		}
		var said []string
		for _, line := range e.Lines {
			said = append(said, Hang(line, width-indent, "", "  ")...)
		}
		for n := range max(len(labels), len(said)) {
			left, right := "", ""
			if n < len(labels) {
				left = labels[n]
			}
			if n < len(said) {
				right = said[n]
			}
			b.WriteString(strings.TrimRight(text.Pad(left, indent, ' ')+right, " ") + "\n")
		}
	}
	return b.String()
}

// longest is how many columns the longest word takes, with the blanks before the first.
func longest(s string) (n int) {
	words := strings.Fields(s)
	for i, word := range words {
		if i == 0 {
			word = s[:strings.Index(s, word)] + word
		}
		n = max(n, Columns(word))
	}
	return n
}
