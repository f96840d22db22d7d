package scenarios

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/lockbench/lockbench/internal/plainyaml"
)

// maxPath is the length of a sweep's path in bytes.
const maxPath = 200

// ParseSweep reads a sweep that is written as "$.workload.ttl=1s,2s": a path, and its values as the elements of a
// YAML list.
func ParseSweep(s string) (Sweep, error) {
	path, list, ok := strings.Cut(s, "=")
	if !ok || path == "" || list == "" {
		return Sweep{}, fmt.Errorf(`%q is not a path and its values, such as "$.workload.ttl=1s,2s"`, s)
	}
	doc, err := plainyaml.Parse([]byte("[" + list + "]"))
	if err != nil {
		return Sweep{}, fmt.Errorf("%q is not a list of values such as 1s,2s", list)
	}
	values, ok := doc.Docs[0].Body.(*ast.SequenceNode)
	if !ok || len(values.Values) == 0 {
		return Sweep{}, fmt.Errorf("%q is not a list of values such as 1s,2s", list)
	}
	sweep := Sweep{Path: path}
	for _, v := range values.Values {
		sweep.Values = append(sweep.Values, v.String())
	}
	return sweep, nil
}

// Variants returns the scenario once per value of the sweep, with that value at its path, and no sweep. The values
// are put into the file's document before that is read, so that whatever a file may say can be swept.
func (s *Scenario) Variants(sweep Sweep) ([]Scenario, error) {
	path, err := s.swept(sweep.Path)
	if err != nil {
		return nil, s.Locate(errors.Join(&Problem{Path: "$.sweep.path", Text: err.Error()}))
	}
	var variants []Scenario
	var errs []error
	for i, value := range sweep.Values {
		v, err := s.with(path, value)
		if err != nil {
			// The places in it are those of a text that the user never saw.
			why := err.Error()
			if p, ok := errors.AsType[*Problem](err); ok {
				why = p.Path + ": " + p.Text
			}
			errs = append(errs, &Problem{Path: fmt.Sprintf("$.sweep.values[%d]", i), Text: fmt.Sprintf("with %s: %s", value, why)})
			continue
		}
		v.Sweep = nil
		variants = append(variants, v)
	}
	return variants, s.Locate(errors.Join(errs...))
}

// swept finds a sweep's path in the scenario's file.
func (s *Scenario) swept(text string) (*yaml.Path, error) {
	path, err := yaml.PathString(text)
	if err != nil || len(text) > maxPath {
		return nil, fmt.Errorf(`%q is not a path such as "$.workload.ttl" or "$.phases[1].faults[0].delay"`, text)
	}
	if text == "$" || strings.HasPrefix(text, "$.sweep") {
		return nil, fmt.Errorf("%s cannot be swept", text)
	}
	doc, err := scenarioDocument(s.file, s.source)
	if err != nil {
		return nil, err
	}
	node, err := path.FilterFile(doc)
	if err != nil || node == nil {
		return nil, fmt.Errorf("%s has no %s: what is swept must have a value already", s.file, text)
	}
	return path, nil
}

func (s *Scenario) with(path *yaml.Path, value string) (Scenario, error) {
	node, err := scenarioDocument("", []byte(value))
	if err != nil {
		return Scenario{}, err
	}
	doc, err := scenarioDocument(s.file, s.source)
	if err != nil {
		return Scenario{}, err
	}
	if err := path.ReplaceWithNode(doc, node.Docs[0].Body); err != nil {
		return Scenario{}, fmt.Errorf("put it into the scenario: %w", err)
	}
	return fromDocument(s.file, s.source, doc)
}
