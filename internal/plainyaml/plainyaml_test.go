package plainyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestRefused: what could take far more memory, time or stack than its length is refused before it is parsed, with its
// place.
func TestRefused(t *testing.T) {
	var keys strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	same := func(text string) string { return strings.Repeat(text, 100_000) }
	indented := func(text string) string {
		var b strings.Builder
		for i := range 20 {
			b.WriteString(strings.Repeat(" ", i) + text + "\n")
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		text         string
		line, column int
		want         string
	}{
		"dashes":           {same("- "), 1, 25, "more than 12 deep"},
		"brackets":         {same("["), 1, 13, "more than 12 deep"},
		"braces":           {same("{a: "), 1, 49, "more than 12 deep"},
		"closed too often": {"]]]]" + same("["), 1, 17, "more than 12 deep"},
		"mappings":         {indented("a:"), 13, 14, "more than 12 deep"},
		"lists":            {indented("-"), 13, 13, "more than 12 deep"},
		"complex keys":     {same("? "), 1, 1, "a complex key"},
		"tags":             {same("!a "), 1, 1, "a tag"},
		"anchor":           {"a: &x 1", 1, 4, "an anchor"},
		"merges itself":    {"w: &w {<<: *w}", 1, 4, "an anchor"},
		"alias":            {"a: *x", 1, 4, "an alias"},
		"merge key":        {"a: {<<: {b: 1}}", 1, 5, "a merge key"},
		"directive":        {"%YAML 1.1\n---\na: 1", 1, 1, "a directive"},
		"long key":         {"a:\n  " + strings.Repeat("k", 41) + ": 1", 2, 3, "41 bytes; at most 40"},
		"many keys":        {keys.String(), 1001, 1, "more than 1000 keys"},
		"many empty lines": {strings.Repeat("-\n", 1001), 1001, 1, "more than 1000 values"},
		"many empty":       {strings.Repeat("- k:\n", 1001), 1001, 4, "more than 1000 values"},
		"many in brackets": {"[" + strings.Repeat("{a: , b: },", 501) + "]", 1, 5504, "more than 1000 values"},
		"many documents":   {same("---\na\n"), 3, 1, "a second document"},
		"empty":            {" \n# nothing\n", 1, 1, "it is empty"},
		"ends early":       {"a\n...\nb: 1", 3, 2, "a second document"},
		"no UTF-8":         {"a: 1\nb: é\xff", 2, 5, "the byte 0xff is no UTF-8"},
		"UTF-16":           {"\xff\xfea\x00", 1, 1, "the byte 0xff"},
		"escape":           {"a: \x1b[2J", 1, 4, "the control character U+001B"},
		"no YAML":          {"a: [1", 1, 4, "this is no YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			bad, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if bad.Line != c.line || bad.Column != c.column || !strings.Contains(bad.Text, c.want) {
				t.Errorf("%d:%d: %q, want %d:%d: %q", bad.Line, bad.Column, bad.Text, c.line, c.column, c.want)
			}
		})
	}
}

// TestRead: what people and lockbench write is read.
func TestRead(t *testing.T) {
	for name, text := range map[string]string{
		"byte order mark": "\ufeffa: 1\n",
		"header":          "# about\n---\na: 1\n",
		"Windows":         "a:\r\n  - b: 1\r\n  - c: é\r\n",
		"list below key":  "a:\n- b:\n  - c\n- d: {e: [1]}\n",
		"missing value":   "a:\nb: 1",
		"long text":       "a: >-\n  " + strings.Repeat("word ", 10_000),
		"deep":            strings.Repeat("[", 12) + strings.Repeat("]", 12),
		"one behind":      strings.Repeat("- a: {b: [1], c: 2}\n", 2000),
		"quoted":          `a: ["&x", "*x", '<<', "\u00e9"]`,
	} {
		t.Run(name, func(t *testing.T) {
			file, err := Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if key := file.Docs[0].Body.String(); strings.HasPrefix(key, "\ufeff") {
				t.Errorf("the mark is part of %q", key)
			}
		})
	}
}

// FuzzParse: whatever a text holds, it is parsed or refused.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"- - - [a, {b: c}]", "{a: , b: }", "a:\n- b\n- c: |\n   d\n", "- \n-", "a: \"b\\\n c\"", "? a", "[a: b]", "a: b: c", "---\n...\n---", "#", "\ufeff",
		"{a: b, ? c}", "- [\n", "'a': >+1\n b", "a:\n\t- b", "{,}", "[,]", "a: -", ": a", "-a: - b", "@", "`", "a: !", "a: &", "a: *", "\"\\x\"", "!<", "|", ">-\n-",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if file, err := Parse(b); err == nil && len(file.Docs) != 1 {
			t.Errorf("%d documents", len(file.Docs))
		}
	})
}
