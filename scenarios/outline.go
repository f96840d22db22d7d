package scenarios

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// Outline writes the phases on one line, as a scenario's file has them: what makes two runs of one workload differ.
//
// What could not be written is told in its place: the outline is there to be read and compared, and no run need fail
// for it.
func (s *Scenario) Outline() string {
	b, err := yaml.MarshalWithOptions(s.Phases, yaml.Flow(true))
	if err != nil {
		return fmt.Sprintf("not to be written: %v", err)
	}
	return strings.TrimSpace(string(b))
}
