package scenarios

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/internal/plainyaml"
)

// Unmarshal reads one YAML document strictly. Its error joins a Problem for every unknown key and every value of the
// wrong kind; file is the name that they give.
func Unmarshal(file string, b []byte, into any) error {
	return UnmarshalOld(file, b, func(ast.Node) {}, into)
}

// UnmarshalOld is Unmarshal for an older format, of which today makes one of today before its shape is checked.
func UnmarshalOld(file string, b []byte, today func(ast.Node), into any) error {
	doc, err := document(file, b)
	if err != nil {
		return err
	}
	today(doc.Docs[0].Body)
	return decode(file, doc, into)
}

// document parses a file that must hold exactly one document.
func document(file string, b []byte) (*ast.File, error) {
	doc, err := plainyaml.Parse(b)
	if bad, ok := errors.AsType[*plainyaml.Error](err); ok {
		return nil, &Problem{File: file, Line: bad.Line, Column: bad.Column, Text: bad.Text}
	}
	return doc, err
}

// decode fills into. The document's shape is compared with the type's first: the library's decoder stops at the first
// mistake, drops the fraction of 2.5 clients, and does not say where a text does not parse.
func decode(file string, doc *ast.File, into any) error {
	body := doc.Docs[0].Body
	s := shape{file: file}
	s.check("$", body, reflect.TypeOf(into).Elem())
	if len(s.errs) > 0 {
		return first(file, s.errs)
	}
	if err := yaml.NodeToValue(body, into); err != nil {
		return &Problem{File: file, Text: yaml.FormatError(err, false, false)}
	}
	return nil
}

// maxProblems is how many problems of a file are told.
const maxProblems = 20

// first joins the errors, or the first maxProblems and how many more there are.
func first(file string, errs []error) error {
	if more := len(errs) - maxProblems; more > 0 {
		errs = append(errs[:maxProblems:maxProblems], &Problem{File: file, Text: fmt.Sprintf("and %d more problems", more)})
	}
	return errors.Join(errs...)
}

// shape compares a document with a type.
type shape struct {
	file string
	errs []error
}

func (s *shape) problem(path string, n ast.Node, format string, args ...any) {
	pos := n.GetToken().Position
	s.errs = append(s.errs, &Problem{File: s.file, Path: path, Line: pos.Line, Column: pos.Column, Text: fmt.Sprintf(format, args...)})
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

func (s *shape) check(path string, n ast.Node, t reflect.Type) {
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
		} else {
			s.decimal(path, n)
		}
	default:
		if !fits(scalar, t) {
			s.problem(path, n, "it is %s; a whole number is expected", called(n))
		} else {
			s.decimal(path, n)
		}
	}
}

var decimalNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// decimal refuses a number that readers of YAML do not agree about: 010 is 8 to some and 10 to others.
func (s *shape) decimal(path string, n ast.Node) {
	if !decimalNumber.MatchString(n.GetToken().Value) {
		s.problem(path, n, "it is %s; a decimal number such as 10 or 0.5 is expected", called(n))
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
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); f.IsExported() && key != "-" {
			fields[key] = f.Type
			keys = append(keys, key)
		}
	}
	for at := m.MapRange(); at.Next(); {
		key := at.Key().GetToken().Value
		field, known := fields[key]
		switch {
		case known:
			s.check(path+"."+key, at.Value(), field)
		case t == reflect.TypeFor[Fault](): // a setting of the fault, which is read where the faults are known
			s.setting(path+"."+key, at.Value())
		default:
			s.problem(path, at.Key(), "%s", nearest.Unknown("key", key, keys))
		}
	}
}

// setting checks that the value of a fault's setting is a text or a number.
func (s *shape) setting(path string, n ast.Node) {
	switch n.Type() {
	case ast.StringType, ast.NullType, ast.LiteralType:
	case ast.IntegerType, ast.FloatType:
		s.decimal(path, n)
	default:
		s.problem(path, n, "it is %s; a text or a number is expected", called(n))
	}
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
	}
	return fmt.Sprintf("%q", n.GetToken().Value)
}
