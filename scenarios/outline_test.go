package scenarios

import (
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestOutline: every shipped scenario's outline is one line, and reads back as its phases.
func TestOutline(t *testing.T) {
	all, err := All()
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	for _, s := range all {
		text := s.Outline()
		var phases []Phase
		if err := yaml.Unmarshal([]byte(text), &phases); err != nil || strings.Contains(text, "\n") {
			t.Fatalf("%s: %v: %s", s.Name, err, text)
		}
		if !reflect.DeepEqual(phases, s.Phases) {
			t.Errorf("%s: %s", s.Name, text)
		}
	}
}
