// Package plainyaml parses YAML that anybody may have written. It refuses what could make the parser take far more
// memory, time or stack than the text is long, and what one text could mean in two ways.
package plainyaml

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxDepth is how many lists and mappings may lie in one another. A schedule has nine.
	maxDepth = 12
	// maxKey is the length of a key in bytes. The parser keeps the path of every value.
	maxKey = 40
	// maxKeys is how many keys a mapping may have, and maxMissing how many values of a file may be missing. The time
	// that the parser takes grows with the square of both.
	maxKeys, maxMissing = 1000, 1000
)

// Error is why a text was refused. Line and Column count from 1; they are 0 if the place is not known.
type Error struct {
	Line, Column int
	Text         string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Text)
}

// Parse parses a text that must hold one document. A byte order mark at its beginning is left out. Its error is an
// *Error.
func Parse(b []byte) (*ast.File, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if err := checkText(b); err != nil {
		return nil, err
	}
	tokens := lexer.Tokenize(string(b))
	if err := new(scan).check(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0)
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax) && syntax.GetToken() != nil:
		return nil, at(syntax.GetToken(), "this is no YAML: %s", syntax.GetMessage())
	case err != nil:
		return nil, &Error{Text: "this is no YAML: " + err.Error()}
	}
	file.Docs = slices.DeleteFunc(file.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	switch len(file.Docs) {
	case 0:
		return nil, &Error{1, 1, "it is empty"}
	case 1:
		return file, nil
	}
	return nil, at(file.Docs[1].Body.GetToken(), secondDocument)
}

const secondDocument = "a second document begins here; one is expected"

func at(t *token.Token, format string, args ...any) *Error {
	return &Error{t.Position.Line, t.Position.Column, fmt.Sprintf(format, args...)}
}

// checkText refuses what is no text: control characters, which YAML excludes, too, and bytes that are no UTF-8.
func checkText(b []byte) error {
	line, column := 1, 1
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1:
			return &Error{line, column, fmt.Sprintf("the byte 0x%02x is no UTF-8", b[0])}
		case r == '\n':
			line, column = line+1, 0
		case unicode.IsControl(r) && r != '\t' && r != '\r':
			return &Error{line, column, fmt.Sprintf("the control character %U is not allowed", r)}
		}
		column++
		b = b[size:]
	}
	return nil
}

// refused says what lockbench's files do not need, by kind of token.
var refused = map[token.Type]string{
	token.AnchorType:     "an anchor (&)",
	token.AliasType:      "an alias (*)",
	token.MergeKeyType:   "a merge key (<<)",
	token.TagType:        "a tag (!)",
	token.MappingKeyType: "a complex key (?)",
	token.DirectiveType:  "a directive (%)",
}

// scan goes through the tokens of a text, which the lexer finds in a time and memory that grow with its length only.
type scan struct {
	blocks  []block // the lists and mappings that are open and have no brackets, from the outermost
	flow    int     // brackets and braces that are open
	missing int     // values, so far
	content bool    // there was some
}

// block is a list or a mapping without brackets, or both at the same column.
type block struct{ column, keys int }

func (s *scan) check(tokens token.Tokens) error {
	for _, t := range tokens {
		if what := refused[t.Type]; what != "" {
			return at(t, "%s is not read here: write the value itself, or in quotes if it is a text", what)
		}
		column := t.Position.Column
		switch t.Type {
		case token.CommentType:
			continue
		case token.DocumentHeaderType:
			if s.content {
				return at(t, secondDocument)
			}
		case token.SequenceStartType, token.MappingStartType:
			s.flow++
		case token.SequenceEndType, token.MappingEndType:
			s.flow = max(s.flow-1, 0)
		case token.MappingValueType:
			key := t.Prev
			if key == nil {
				break
			}
			if len(key.Value) > maxKey {
				return at(key, "this key has %d bytes; at most %d are read", len(key.Value), maxKey)
			}
			column = key.Position.Column
			if s.open(column, 1); s.flow == 0 && s.blocks[len(s.blocks)-1].keys > maxKeys {
				return at(key, "this mapping has more than %d keys", maxKeys)
			}
		case token.SequenceEntryType:
			s.open(column, 0)
		}
		s.content = true
		if len(s.blocks)+s.flow > maxDepth {
			return at(t, "lists and mappings lie more than %d deep in one another here", maxDepth)
		}
		if s.lacksValue(t, column); s.missing > maxMissing {
			return at(t, "more than %d values are missing, the last one here", maxMissing)
		}
	}
	return nil
}

// open notes that a list or a mapping without brackets goes on at that column: what began behind it is over.
func (s *scan) open(column, keys int) {
	if s.flow > 0 {
		return
	}
	for len(s.blocks) > 0 && s.blocks[len(s.blocks)-1].column > column {
		s.blocks = s.blocks[:len(s.blocks)-1]
	}
	if len(s.blocks) == 0 || s.blocks[len(s.blocks)-1].column < column {
		s.blocks = append(s.blocks, block{column: column})
	}
	s.blocks[len(s.blocks)-1].keys += keys
}

// lacksValue counts t if it is the colon or the dash before a value that is missing. Its key or dash is at column.
func (s *scan) lacksValue(t *token.Token, column int) {
	if t.Type != token.MappingValueType && t.Type != token.SequenceEntryType {
		return
	}
	next := t.Next
	for next != nil && next.Type == token.CommentType {
		next = next.Next
	}
	switch {
	case next == nil:
	case slices.Contains([]token.Type{token.CollectEntryType, token.SequenceEndType, token.MappingEndType, token.MappingValueType, token.DocumentHeaderType, token.DocumentEndType}, next.Type):
	case s.flow > 0 || next.Position.Line == t.Position.Line || next.Position.Column > column:
		return
	case t.Type == token.MappingValueType && next.Type == token.SequenceEntryType && next.Position.Column == column:
		return // a list may begin at the column of its key
	}
	s.missing++
}
