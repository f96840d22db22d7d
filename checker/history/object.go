package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

func (d *decoder) space() {
	for d.at < len(d.line) {
		switch d.line[d.at] {
		case ' ', '\t', '\r', '\n':
			d.at++
		default:
			return
		}
	}
}

// skip steps over white space and, if it comes next, c.
func (d *decoder) skip(c byte) bool {
	d.space()
	if d.at < len(d.line) && d.line[d.at] == c {
		d.at++
		return true
	}
	return false
}

func (d *decoder) unexpected(want string) error {
	d.space()
	if d.at >= len(d.line) {
		return fmt.Errorf("want %s, got the end of the line", want)
	}
	rest := d.line[d.at:]
	end := 0
	for end < len(rest) && end < 20 && !strings.ContainsRune(",}\r\n", rune(rest[end])) {
		end++
	}
	return fmt.Errorf("want %s, got %q", want, rest[:max(end, 1)])
}

func (d *decoder) digits() []byte {
	begin := d.at
	if d.at < len(d.line) && d.line[d.at] == '-' {
		d.at++
	}
	for d.at < len(d.line) && d.line[d.at] >= '0' && d.line[d.at] <= '9' {
		d.at++
	}
	return d.line[begin:d.at]
}

// number returns the digits of a whole number as JSON writes it.
func (d *decoder) number() (string, error) {
	d.space()
	begin := d.at
	s := d.digits()
	unsigned := strings.TrimPrefix(string(s), "-")
	whole := unsigned != "" && (unsigned == "0" || unsigned[0] != '0')
	if whole && d.at < len(d.line) {
		whole = strings.IndexByte(" \t\r\n,}", d.line[d.at]) >= 0
	}
	if !whole {
		d.at = begin
		return "", d.unexpected("a whole number")
	}
	return string(s), nil
}

func (d *decoder) integer(least int64) (int64, error) {
	s, err := d.number()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < least {
		return 0, fmt.Errorf("want a number from %d to %d, got %s", least, int64(math.MaxInt64), s)
	}
	return v, nil
}

func (d *decoder) unsigned(least uint64) (uint64, error) {
	s, err := d.number()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || v < least {
		return 0, fmt.Errorf("want a number from %d to %d, got %s", least, uint64(math.MaxUint64), s)
	}
	return v, nil
}

func (d *decoder) optional() (Uint, error) {
	v, err := d.unsigned(0)
	return Uint{V: v, Set: err == nil}, err
}

// name returns a text that must not be empty and is likely to come again.
func (d *decoder) name() (string, error) {
	b, err := d.text()
	if err != nil {
		return "", err
	}
	if len(b) == 0 {
		return "", errors.New("want a text that is not empty")
	}
	return d.share(b), nil
}

func (d *decoder) string() (string, error) {
	b, err := d.text()
	return string(b), err
}

// text returns the value of a JSON string, valid until the next line.
func (d *decoder) text() ([]byte, error) {
	if !d.skip('"') {
		return nil, d.unexpected("a text in double quotes")
	}
	begin, escaped := d.at, false
	for ; d.at < len(d.line) && d.line[d.at] != '"'; d.at++ {
		if d.line[d.at] < ' ' {
			return nil, fmt.Errorf("want a text in double quotes, got the control character %#02x in it", d.line[d.at])
		}
		if d.line[d.at] == '\\' {
			escaped = true
			d.at++
		}
	}
	if d.at >= len(d.line) {
		d.at = len(d.line)
		return nil, d.unexpected("the closing quote of a text")
	}
	text := d.line[begin:d.at]
	d.at++
	if !utf8.Valid(text) {
		return nil, errors.New("want UTF-8")
	}
	if !escaped {
		return text, nil
	}
	if half := loneSurrogate(text); half != nil {
		return nil, fmt.Errorf("want Unicode, got %s, which is half of a pair", half)
	}
	var s string
	if err := json.Unmarshal(d.line[begin-1:d.at], &s); err != nil {
		return nil, fmt.Errorf("want a text in double quotes: %w", err)
	}
	return []byte(s), nil
}

// loneSurrogate finds an escaped half of a surrogate pair without its other half, or nil. encoding/json would make
// the same replacement character of all of them.
func loneSurrogate(text []byte) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		r := escapedRune(text[i:])
		if !utf16.IsSurrogate(r) {
			i++ // what is escaped may be a backslash
			continue
		}
		if utf16.DecodeRune(r, escapedRune(text[i+6:])) == utf8.RuneError {
			return text[i : i+6]
		}
		i += 11
	}
	return nil
}

// escapedRune is what an escape \uXXXX at the beginning of a text stands for, or -1.
func escapedRune(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(v)
}

// names returns an array of texts, none of them empty.
func (d *decoder) names() ([]string, error) {
	if !d.skip('[') {
		return nil, d.unexpected("an array of texts, […]")
	}
	var all []string
	for !d.skip(']') {
		if len(all) > 0 && !d.skip(',') {
			return nil, d.unexpected("a comma or the end of the array")
		}
		s, err := d.name()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// texts returns an object whose values are texts.
func (d *decoder) texts() (map[string]string, error) {
	if !d.skip('{') {
		return nil, d.unexpected("an object of texts, {…}")
	}
	all := map[string]string{}
	for !d.skip('}') {
		if len(all) > 0 && !d.skip(',') {
			return nil, d.unexpected("a comma or the end of the object")
		}
		name, err := d.name()
		if err != nil {
			return nil, err
		}
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("%q is there twice", name)
		}
		if !d.skip(':') {
			return nil, d.unexpected("a colon after the name of a setting")
		}
		if all[name], err = d.string(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
