package scenarios

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/lockbench/lockbench/internal/nearest"
)

// Unmarshal reads one YAML document strictly. Its error joins a Problem for every unknown key and every value of the wrong
// kind; file is the name that they give.
func Unmarshal(file string, b []byte, into any) error {
	doc, err := document(file, b)
	if err != nil {
		return err
	}
	return decode(file, doc, into)
}

// document parses a file that must hold exactly one document.
func document(file string, b []byte) (*ast.File, error) {
	doc, err := parser.ParseBytes(b, 0)
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax) && syntax.GetToken() != nil:
		pos := syntax.GetToken().Position
		return nil, &Problem{File: file, Line: pos.Line, Column: pos.Column, Text: "this is no YAML: " + syntax.GetMessage()}
	case err != nil:
		return nil, &Problem{File: file, Text: "this is no YAML: " + err.Error()}
	}
	doc.Docs = slices.DeleteFunc(doc.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(doc.Docs) == 0 {
		return nil, &Problem{File: file, Line: 1, Column: 1, Text: "it is empty"}
	}
	if len(doc.Docs) > 1 {
		pos := begin(doc.Docs[1].Body)
		return nil, &Problem{File: file, Line: pos.Line, Column: pos.Column, Text: "a second document begins here; one is expected"}
	}
	return doc, nil
}

// decode fills into. The document's shape is compared with the type's first: the library's decoder stops at the first
// mistake, drops the fraction of 2.5 clients, and does not say where a text does not parse.
func decode(file string, doc *ast.File, into any) error {
	body := doc.Docs[0].Body
	s := shape{file: file, anchors: map[string]ast.Node{}}
	ast.Walk(&s, body)
	s.check("$", body, reflect.TypeOf(into).Elem())
	if len(s.errs) > 0 {
		return errors.Join(s.errs...)
	}
	if err := yaml.NodeToValue(body, into, yaml.Strict()); err != nil {
		return &Problem{File: file, Text: yaml.FormatError(err, false, false)}
	}
	return nil
}

// shape compares a document with a type.
type shape struct {
	file    string
	anchors map[string]ast.Node
	errs    []error
}

// Visit implements ast.Visitor: it notes what aliases stand for.
func (s *shape) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok {
		s.anchors[a.Name.GetToken().Value] = a.Value
	}
	return s
}

func (s *shape) problem(path string, n ast.Node, format string, args ...any) {
	pos := n.GetToken().Position
	s.errs = append(s.errs, &Problem{File: s.file, Path: path, Line: pos.Line, Column: pos.Column, Text: fmt.Sprintf(format, args...)})
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

func (s *shape) check(path string, n ast.Node, t reflect.Type) {
	n = s.value(n)
	if n.Type() == ast.NullType { // as if it were not there
		return
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	scalar, isScalar := n.(ast.ScalarNode)
	switch kind := t.Kind(); {
	case reflect.PointerTo(t).Implements(textType):
		if !isScalar {
			s.problem(path, n, "it is %s; a text is expected", called(n))
		} else if err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text(scalar))); err != nil {
			s.problem(path, n, "%v", err)
		}
	case t == reflect.TypeFor[time.Duration]():
		if _, err := time.ParseDuration(n.GetToken().Value); err != nil {
			s.problem(path, n, `it is %s; a duration such as "1.5s" is expected`, called(n))
		}
	case kind == reflect.Struct:
		s.mapping(path, n, t)
	case kind == reflect.Slice:
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			s.problem(path, n, "it is %s; a list is expected", called(n))
			return
		}
		for i, v := range list.Values {
			s.check(fmt.Sprintf("%s[%d]", path, i), v, t.Elem())
		}
	case kind == reflect.String:
		if !isScalar {
			s.problem(path, n, "it is %s; a text is expected", called(n))
		}
	case kind == reflect.Bool:
		if n.Type() != ast.BoolType {
			s.problem(path, n, "it is %s; true or false is expected", called(n))
		}
	case kind == reflect.Float64:
		if n.Type() != ast.FloatType && n.Type() != ast.IntegerType {
			s.problem(path, n, "it is %s; a number is expected", called(n))
		}
	default:
		if !fits(scalar, t) {
			s.problem(path, n, "it is %s; a whole number is expected", called(n))
		}
	}
}

// mapping checks the keys of a struct and their values.
func (s *shape) mapping(path string, n ast.Node, t reflect.Type) {
	m, ok := n.(ast.MapNode)
	if !ok {
		s.problem(path, n, "it is %s; keys with values are expected", called(n))
		return
	}
	fields := map[string]reflect.Type{}
	var keys []string
	for f := range t.Fields() {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); f.IsExported() {
			fields[key] = f.Type
			keys = append(keys, key)
		}
	}
	for at := m.MapRange(); at.Next(); {
		key := at.Key().GetToken().Value
		field, known := fields[key]
		switch {
		case at.Key().IsMergeKey():
			s.check(path, at.Value(), t)
		case known:
			s.check(path+"."+key, at.Value(), field)
		default:
			s.problem(path, at.Key(), "%s", nearest.Unknown("key", key, keys))
		}
	}
}

// value is the node without its anchor, its tag, or what its alias stands for.
func (s *shape) value(n ast.Node) ast.Node {
	for depth := 0; depth < 10; depth++ { // an alias may stand for itself
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.TagNode:
			n = v.Value
		case *ast.AliasNode:
			target, ok := s.anchors[v.Value.GetToken().Value]
			if !ok {
				return n
			}
			n = target
		default:
			return n
		}
	}
	return n
}

// text is what a scalar says, as text.
func text(n ast.ScalarNode) string {
	if v, ok := n.GetValue().(string); ok {
		return v
	}
	return n.GetToken().Value
}

// fits reports whether the scalar, which may be nil, is an integer that t can hold.
func fits(n ast.ScalarNode, t reflect.Type) bool {
	if n == nil {
		return false
	}
	signed := t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64
	switch v := n.GetValue().(type) {
	case int64:
		return signed && !t.OverflowInt(v) || !signed && v >= 0 && !t.OverflowUint(uint64(v))
	case uint64:
		return signed && v <= 1<<63-1 && !t.OverflowInt(int64(v)) || !signed && !t.OverflowUint(v)
	}
	return false
}

// called says what a node is, for messages.
func called(n ast.Node) string {
	switch n.Type() {
	case ast.MappingType, ast.MappingValueType:
		return "a mapping"
	case ast.SequenceType:
		return "a list"
	case ast.AliasType:
		return "an alias of nothing"
	}
	return fmt.Sprintf("%q", n.GetToken().Value)
}
