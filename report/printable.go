package report

import (
	"strings"
	"unicode"
)

// Printable makes one line of s that cannot steer a terminal: valid UTF-8 without control and format characters.
func Printable(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	}), " ")
}
