// Package folded shortens files that tests write, and keeps all that they say.
package folded

import (
	"fmt"
	"regexp"
)

var lineBreak = regexp.MustCompile(`\n *`)

// JSON puts each object and array of JSON on one line if it takes at most width bytes there. The text is indented by
// two spaces.
func JSON(text []byte, width int) []byte {
	for depth := 40; depth >= 0; depth -= 2 {
		group := regexp.MustCompile(fmt.Sprintf(`(?m)^ {%d}(?:[^ \n].*)?[\[{]\n(?: {%d}.*\n)+ {%[1]d}[]}]`, depth, depth+2))
		text = group.ReplaceAllFunc(text, func(lines []byte) []byte {
			one := append(lines[:depth:depth], lineBreak.ReplaceAll(lines[depth:], []byte(" "))...)
			if len(one) > width {
				return lines
			}
			return one
		})
	}
	return text
}
