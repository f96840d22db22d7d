package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/lockbench/lockbench/internal/disk"
	"github.com/lockbench/lockbench/internal/nearest"
)

//go:embed *.yaml
var shipped embed.FS

// All returns the shipped scenarios by name.
func All() ([]Scenario, error) {
	names, err := fs.Glob(shipped, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the shipped scenarios: %w", err)
	}
	all := make([]Scenario, 0, len(names))
	for _, name := range names {
		b, err := shipped.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the shipped scenario: %w", err)
		}
		s, err := Parse(name, b)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Names lists the names of the shipped scenarios, which are those of their files.
func Names() []string {
	names, _ := fs.Glob(shipped, "*.yaml") // fails only for a bad pattern
	for i := range names {
		names[i] = strings.TrimSuffix(names[i], ".yaml")
	}
	return names
}

// maxSize is the size in bytes of the largest scenario that is read. The shipped ones have less than 2 KiB.
const maxSize = 64 << 10

// Load returns the shipped scenario of that name, or the one in the file if the name is a path (it has a
// slash or ends in .yaml).
func Load(name string) (Scenario, error) {
	if strings.ContainsRune(name, '/') || strings.HasSuffix(name, ".yaml") {
		b, err := disk.Read(name, maxSize)
		if err != nil {
			return Scenario{}, fmt.Errorf("read the scenario: %w", err)
		}
		return Parse(name, b)
	}
	b, err := shipped.ReadFile(name + ".yaml")
	if err != nil {
		return Scenario{}, errors.New(nearest.Unknown("scenario", name, Names()))
	}
	return Parse(name+".yaml", b)
}

// Parse reads and validates a scenario. The error joins Problems, which name the file, and line and column in it.
func Parse(file string, b []byte) (Scenario, error) {
	doc, err := scenarioDocument(file, b)
	if err != nil {
		return Scenario{}, err
	}
	s, err := fromDocument(file, b, doc)
	if err == nil && s.Sweep != nil {
		_, err = s.Variants(*s.Sweep)
	}
	return s, err
}

func fromDocument(file string, source []byte, doc *ast.File) (Scenario, error) {
	var s Scenario
	if err := decode(file, doc, &s); err != nil {
		return Scenario{}, err
	}
	s.file, s.source = file, source
	return s, s.Locate(s.Validate())
}

// Locate adds to every Problem among the errors joined in err where the scenario's file has the value, or the nearest
// that it has of its path.
func (s *Scenario) Locate(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || s.source == nil {
		return err
	}
	doc, parseErr := scenarioDocument(s.file, s.source)
	if parseErr != nil {
		return errors.Join(err, parseErr)
	}
	problems := joined.Unwrap()
	for _, e := range problems[:min(len(problems), maxProblems)] {
		if p, ok := errors.AsType[*Problem](e); ok && p.Line == 0 {
			p.File = s.file
			p.Line, p.Column = locate(doc, p.Path)
		}
	}
	return first(s.file, problems)
}

func locate(doc *ast.File, at string) (line, column int) {
	for {
		node := doc.Docs[0].Body
		if at != "$" {
			node = nil
			if path, err := yaml.PathString(at); err == nil {
				node, _ = path.FilterFile(doc) // not found: its parent may be
			}
		}
		if node != nil {
			pos := begin(node)
			return pos.Line, pos.Column
		}
		at = at[:max(strings.LastIndexAny(at, ".["), len("$"))]
	}
}

// begin is where a node's text begins. A mapping's token is the colon of its first key.
func begin(n ast.Node) *token.Position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0]
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	return n.GetToken().Position
}
