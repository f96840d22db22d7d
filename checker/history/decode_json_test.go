package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// decodeSlowly is the reference of the Reader for one line: encoding/json takes it apart, and what encoding/json would
// let pass is asked for besides.
func decodeSlowly(line []byte) (Op, error) {
	var op Op
	if !json.Valid(line) || !utf8.Valid(line) {
		return op, errors.New("not JSON")
	}
	if replacements(line) > bytes.Count(line, []byte("\uFFFD")) {
		return op, errors.New("half of a surrogate pair")
	}
	tokens := json.NewDecoder(bytes.NewReader(line))
	tokens.UseNumber()
	if first, err := tokens.Token(); err != nil || first != json.Delim('{') {
		return op, errors.New("not an object")
	}
	var seen []string
	for tokens.More() {
		key, err := tokens.Token()
		if err != nil {
			return op, err
		}
		value, err := tokens.Token()
		if err != nil {
			return op, err
		}
		if slices.Contains(seen, key.(string)) {
			return op, errors.New("a field twice")
		}
		seen = append(seen, key.(string))
		if !setSlowly(&op, key.(string), value) {
			return op, errors.New("not what the field holds")
		}
	}
	for _, name := range []string{"time", "client", "process", "type", "f"} {
		if !slices.Contains(seen, name) {
			return op, errors.New("a field is missing")
		}
	}
	return op, op.Check()
}

// escapedReplacement is an escape that does stand for the replacement character.
var escapedReplacement = regexp.MustCompile(`(?i)\\ufffd`)

// replacements counts the replacement characters in the texts of an object. encoding/json makes one of each escaped half
// of a surrogate pair; those that the line writes as an escape itself do not count.
func replacements(line []byte) int {
	n := -len(escapedReplacement.FindAll(line, -1))
	tokens := json.NewDecoder(bytes.NewReader(line))
	for {
		token, err := tokens.Token()
		if err != nil {
			return n
		}
		if text, ok := token.(string); ok {
			n += strings.Count(text, "\uFFFD")
		}
	}
}

// setSlowly sets one field, and reports whether there is one that can hold the value.
func setSlowly(op *Op, key string, value json.Token) (ok bool) {
	texts := map[string]*string{"client": &op.Client, "type": (*string)(&op.Type), "f": &op.F, "lock": &op.Lock, "phase": &op.Phase, "error": &op.Error}
	signed := map[string]*int64{"index": &op.Index, "time": &op.Time, "process": &op.Process, "grant": &op.Grant, "request": &op.Request, "intended": &op.Intended}
	unsigned := map[string]*Uint{"token": &op.Token, "seq": {}, "base": &op.Base, "version": &op.Version}
	least := map[string]int64{"process": -1, "grant": 1, "request": 1, "intended": 1, "seq": 1}[key]
	switch v := value.(type) {
	case string:
		to, ok := texts[key]
		if !ok {
			return false
		}
		*to = v
		return v != "" || key == "error"
	case json.Number:
		if to, ok := signed[key]; ok {
			n, err := strconv.ParseInt(v.String(), 10, 64)
			*to = n
			return err == nil && n >= least
		}
		to, ok := unsigned[key]
		if !ok {
			return false
		}
		n, err := strconv.ParseUint(v.String(), 10, 64)
		*to = Some(n)
		if key == "seq" {
			op.Seq = n
		}
		return err == nil && n >= uint64(least)
	default:
		return false
	}
}

// compareDecoders reads one line in both ways, and reports whether it is a line.
func compareDecoders(t rapid.TB, line []byte) bool {
	t.Helper()
	want, wantErr := decodeSlowly(line)
	got, err := NewReader(bytes.NewReader(line)).Next()
	if err == io.EOF {
		t.Fatalf("%q: no line", line)
	}
	for _, key := range []string{"step", "role", "hosts", "peers", "direction", "settings", oldValue} {
		if bytes.Contains(line, []byte(key)) {
			return err == nil // which the slow decoder does not know
		}
	}
	if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q\n got %+v, %v\nwant %+v, %v", line, got, err, want, wantErr)
	}
	return err == nil
}

// isLine reports whether a Reader would take the text for one line.
func isLine(text []byte) bool {
	return len(text) <= MaxLine && len(bytes.TrimSpace(text)) > 0 && !bytes.Contains(text, []byte("\n"))
}

// drawNearly changes a line a little, or not at all: some bytes, a field more, or another value.
func drawNearly(t *rapid.T, line []byte) []byte {
	pieces := []string{
		"", " ", "\t", "\r", "{", "}", ",", ":", `"`, `\`, `\u00e9`, `\ud800`, `\n`, "-", "0", "1", ".", "e", "x", "\x00", "\xff", "é",
	}
	values := []string{
		"0", "1", "-0", "-1", "-2", "00", "1.0", "1e1", "9223372036854775808", "18446744073709551615", "18446744073709551616", `""`, `"\u0061"`, `"ok"`, "null", "true", "[]", "{}",
	}
	names := append(slices.Clone(fieldNames[:]), "TIME", "", `\u0074ime`)
	for range rapid.IntRange(0, 2).Draw(t, "edits") {
		from := rapid.IntRange(0, len(line)).Draw(t, "from")
		to := min(len(line), from+rapid.IntRange(0, 3).Draw(t, "bytes"))
		put := ""
		switch rapid.IntRange(0, 2).Draw(t, "edit") {
		case 0:
			put = rapid.SampledFrom(pieces).Draw(t, "piece")
		case 1:
			from, to = min(1, len(line)), min(1, len(line))
			put = `"` + rapid.SampledFrom(names).Draw(t, "name") + `":` + rapid.SampledFrom(values).Draw(t, "value") + `,`
		default: // from the colon on to the next comma
			from += bytes.IndexByte(line[from:], ':') + 1
			to = from + max(0, bytes.IndexByte(line[from:], ','))
			put = rapid.SampledFrom(values).Draw(t, "value")
		}
		line = slices.Concat(line[:from], []byte(put), line[to:])
	}
	return line
}

// TestDecoderReadsWhatJSONReads compares both on lines that are nearly right.
func TestDecoderReadsWhatJSONReads(t *testing.T) {
	accepted, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		op := drawOp(t)
		right := bytes.TrimSuffix(AppendLine(nil, &op), []byte("\n"))
		for range 30 {
			line := drawNearly(t, right)
			if !isLine(line) {
				continue
			}
			if all++; compareDecoders(t, line) {
				accepted++
			}
		}
	})
	if min(accepted, all-accepted) < all/10 {
		t.Errorf("%d of %d lines were right: there are too few of one kind", accepted, all)
	}
}

// FuzzDecode compares both on any line.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(line1))
	for _, tt := range wrongLines() {
		f.Add([]byte(tt.text))
	}
	f.Add([]byte(" { \"time\" : -0 ,\t\"client\":\"c\\u0031\",\"process\":-1,\"type\":\"info\",\"f\":\"heal\",\"value\":\"\" } \r"))
	f.Add([]byte(`{"index":7,"time":1,"client":"c","process":3,"type":"apply","f":"write","lock":"l","grant":1,"request":2,"token":0,"seq":4,"base":0,"version":1}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if isLine(line) {
			compareDecoders(t, line)
		}
	})
}
