package scenarios_test

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/scenarios"
)

// TestDocsAreWhole holds docs/scenarios.md against the types, the roles and the faults; its example is a scenario.
func TestDocsAreWhole(t *testing.T) {
	b, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	explained := func(what, word string) {
		if !strings.Contains(text, "`"+word+"`") {
			t.Errorf("%s `%s` does not occur", what, word)
		}
	}
	for typ, part := range map[reflect.Type]string{
		reflect.TypeFor[scenarios.Scenario](): "## The file", reflect.TypeFor[scenarios.Workload](): "### `workload`",
		reflect.TypeFor[scenarios.Phase](): "### `phases`",
	} {
		_, section, _ := strings.Cut(text, part)
		section, _, _ = strings.Cut(section, "\n#")
		for _, key := range keys(typ) {
			if !strings.Contains(section, "\n| `"+key+"` | ") {
				t.Errorf("%s has no line for `%s`", part, key)
			}
		}
	}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[scenarios.Topology](), reflect.TypeFor[scenarios.Override](), reflect.TypeFor[scenarios.Fault](), reflect.TypeFor[scenarios.Require](), reflect.TypeFor[scenarios.Liveness](),
		reflect.TypeFor[scenarios.Expect](), reflect.TypeFor[scenarios.Sweep](),
	} {
		for _, key := range keys(typ) {
			explained("the key", key)
		}
	}
	for _, r := range append(faults.Roles(), faults.Resource) {
		explained("the role", string(r))
	}
	for _, e := range []scenarios.Event{scenarios.Held, scenarios.Rival, scenarios.Recovered} {
		explained("the event", string(e))
	}
	_, table, _ := strings.Cut(text, "\n## Faults\n")
	for _, f := range faults.All() {
		info := f.Info()
		_, line, ok := strings.Cut(table, "\n| `"+info.Name+"` | ")
		line, _, _ = strings.Cut(line, "\n")
		if !ok {
			t.Errorf("the fault `%s` has no line", info.Name)
		}
		for _, p := range info.Settings {
			word := "`" + p.Name + "`"
			if p.Required {
				word = "**" + word + "**"
			}
			if !strings.Contains(line, word) {
				t.Errorf("the line of %s does not have %s", info.Name, word)
			}
		}
	}
	_, example, _ := strings.Cut(text, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if _, err := scenarios.Parse("docs/scenarios.md", []byte(example)); err != nil {
		t.Error(err)
	}
	if err := accepts(t, compiled(t), bytes.TrimSpace([]byte(example))); err != nil {
		t.Error(err)
	}
}

// keys are those that a struct has in a file.
func keys(typ reflect.Type) []string {
	var all []string
	for f := range typ.Fields() {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" && key != "-" {
			all = append(all, key)
		}
	}
	return all
}
