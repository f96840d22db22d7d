package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// say prints an error, each line of it as one of lockbench's. about stands before each line; it may be empty.
func say(w io.Writer, about string, err error) {
	for _, line := range linesOf(err) {
		fmt.Fprintf(w, "lockbench: %s%s\n", printable(about), line)
	}
}

// linesOf are the lines in which an error is told: errors that were joined have a line each, with what was said before
// all of them, and any other has one, whatever the names in it hold.
func linesOf(err error) []string {
	text := err.Error()
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		var texts, all []string
		for _, part := range e.Unwrap() {
			texts = append(texts, part.Error())
			all = append(all, linesOf(part)...)
		}
		if text == strings.Join(texts, "\n") {
			return all
		}
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		if inner == nil {
			break
		}
		if before, ok := strings.CutSuffix(text, inner.Error()); ok {
			all := linesOf(inner)
			for i := range all {
				all[i] = printable(before) + all[i]
			}
			return all
		}
	}
	return []string{printable(text)}
}

// printable writes what is no text as Go does in quotes: control characters could steer the terminal or feign another
// line, and some others turn a line around or hide in it.
func printable(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
