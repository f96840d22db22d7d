package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// fieldNames are the keys of a line, in the order in which AppendLine writes them.
var fieldNames = [...]string{
	"index", "time", "client", "process", "type", "f", "lock", "grant", "request", "token", "seq", "base", "version",
	"intended", "value", "error",
}

// decoder decodes one line after another. A line is one flat object of strings and whole numbers. encoding/json
// would not do: it takes "TIME" for "time", and of a field that is there twice it silently keeps the last.
type decoder struct {
	line []byte
	at   int
	// known holds the names seen so far, so that the million lines of a history share them.
	known map[string]string
}

func (d *decoder) decode(line []byte, op *Op) error {
	index := op.Index
	if d.decodePlain(line, op) {
		return op.Check()
	}
	*op = Op{Index: index}
	d.line, d.at = line, 0
	var seen [len(fieldNames)]bool
	if err := d.object(op, &seen); err != nil {
		return fmt.Errorf("column %d: %w", d.at+1, err)
	}
	for i, name := range fieldNames {
		switch name {
		case "time", "client", "process", "type", "f":
			if !seen[i] {
				return fmt.Errorf("field %q is missing; every line has time, client, process, type and f", name)
			}
		}
	}
	return op.Check()
}

func (d *decoder) object(op *Op, seen *[len(fieldNames)]bool) error {
	if !d.skip('{') {
		return d.unexpected("an object, {…}")
	}
	for first := true; ; first = false {
		if first && d.skip('}') {
			break
		}
		key, err := d.text()
		if err != nil {
			return fmt.Errorf("name of a field: %w", err)
		}
		if !d.skip(':') {
			return d.unexpected("a colon after the name of a field")
		}
		i := fieldIndex(key)
		if i < 0 {
			return fmt.Errorf("unknown field %q; there are %s", key, strings.Join(fieldNames[:], ", "))
		}
		if seen[i] {
			return fmt.Errorf("field %q is there twice", key)
		}
		seen[i] = true
		if err := d.field(fieldNames[i], op); err != nil {
			return fmt.Errorf("field %q: %w", key, err)
		}
		if d.skip('}') {
			break
		}
		if !d.skip(',') {
			return d.unexpected("a comma or the end of the object")
		}
	}
	if d.space(); d.at < len(d.line) {
		return d.unexpected("the end of the line")
	}
	return nil
}

func fieldIndex(key []byte) int {
	for i, name := range fieldNames {
		if string(key) == name {
			return i
		}
	}
	return -1
}

func (d *decoder) field(name string, op *Op) (err error) {
	switch name {
	case "index":
		op.Index, err = d.integer(0)
	case "time":
		op.Time, err = d.integer(0)
	case "client":
		op.Client, err = d.name()
	case "process":
		op.Process, err = d.integer(NemesisProcess)
	case "type":
		var t string
		t, err = d.name()
		op.Type = Type(t)
	case "f":
		op.F, err = d.name()
	case "lock":
		op.Lock, err = d.name()
	case "grant":
		op.Grant, err = d.integer(1)
	case "request":
		op.Request, err = d.integer(1)
	case "token":
		op.Token, err = d.optional()
	case "seq":
		op.Seq, err = d.unsigned(1)
	case "base":
		op.Base, err = d.optional()
	case "version":
		op.Version, err = d.optional()
	case "intended":
		op.Intended, err = d.integer(1)
	case "value":
		op.Value, err = d.string()
	case "error":
		op.Error, err = d.string()
	}
	return err
}

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
	var s string
	if err := json.Unmarshal(d.line[begin-1:d.at], &s); err != nil {
		return nil, fmt.Errorf("want a text in double quotes: %w", err)
	}
	return []byte(s), nil
}
