package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
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
		s, err := Parse(b)
		if err != nil {
			return nil, fmt.Errorf("shipped scenario %s: %w", name, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// Load returns the shipped scenario of that name, or the one in the file if the name is a path (it has a
// slash or ends in .yaml).
func Load(name string) (Scenario, error) {
	if strings.ContainsRune(name, '/') || strings.HasSuffix(name, ".yaml") {
		b, err := os.ReadFile(name)
		if err != nil {
			return Scenario{}, fmt.Errorf("read the scenario: %w", err)
		}
		s, err := Parse(b)
		if err != nil {
			return Scenario{}, fmt.Errorf("%s: %w", name, err)
		}
		return s, nil
	}
	all, err := All()
	if err != nil {
		return Scenario{}, err
	}
	names := make([]string, len(all))
	for i, s := range all {
		if s.Name == name {
			return s, nil
		}
		names[i] = s.Name
	}
	return Scenario{}, fmt.Errorf("unknown scenario %q%s; there are: %s", name, DidYouMean(name, names), strings.Join(names, ", "))
}

// Parse reads and validates a scenario. Errors name line and column, and what was expected.
func Parse(b []byte) (Scenario, error) {
	var s Scenario
	if err := yaml.UnmarshalWithOptions(b, &s, yaml.Strict()); err != nil {
		return Scenario{}, fmt.Errorf("%s", yaml.FormatError(err, false, true))
	}
	s.file = b
	return s, s.Locate(s.Validate())
}

// Locate adds to every Problem among the errors joined in err where the scenario's file has the value, or the nearest
// that it has of its path.
func (s *Scenario) Locate(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || s.file == nil {
		return err
	}
	file, parseErr := parser.ParseBytes(s.file, 0)
	if parseErr != nil {
		return err
	}
	for _, e := range joined.Unwrap() {
		var p *Problem
		if !errors.As(e, &p) {
			continue
		}
		for at := p.Path; at != "$" && p.Line == 0; at = at[:strings.LastIndexAny(at, ".[")] {
			path, err := yaml.PathString(at)
			if err != nil {
				break
			}
			if node, err := path.FilterFile(file); err == nil && node != nil {
				pos := node.GetToken().Position
				p.Line, p.Column = pos.Line, pos.Column
			}
		}
	}
	return err
}

// DidYouMean returns `, did you mean "x"?` for the nearest name, or nothing if none is near.
func DidYouMean(name string, names []string) string {
	best, nearest := len(name)/2+1, ""
	for _, n := range names {
		if d := levenshtein.Distance(name, n, nil); d < best {
			best, nearest = d, n
		}
	}
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", nearest)
}
