package scenarios_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/testkit/folded"
	"github.com/lockbench/lockbench/internal/testkit/golden"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/scenarios"
)

// The patterns of the texts that have a type of their own.
const (
	durationPattern = `(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)`
	spanPattern     = `(` + durationPattern + `|[0-9]+(\.[0-9]+)?ttl)`
	hostPattern     = `^[nc][0-9]+$`
)

// texts are the schemas of the types that are texts in a file.
func texts() map[reflect.Type]*jsonschema.Schema {
	text := func(pattern string, examples ...any) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: "^(" + pattern + ")$", Examples: examples}
	}
	return map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[scenarios.Duration](): text(durationPattern, "2s", "500ms"),
		reflect.TypeFor[scenarios.Span]():     text(spanPattern, "3s", "1.5ttl"),
		reflect.TypeFor[scenarios.Offset]():   text("-?"+spanPattern, "1.5ttl", "-500ms"),
		reflect.TypeFor[scenarios.Range]():    text(spanPattern+`(\.\.`+spanPattern+`)?`, "5ms..20ms", "1.5ttl"),
		reflect.TypeFor[scenarios.Moment]():   text(`(held|rival|recovered)( `+spanPattern+`)?|`+spanPattern, "held 10ms", "recovered", "500ms"),
		reflect.TypeFor[scenarios.Toggle]():   {Type: "string", Enum: []any{"on", "off", "both"}},
		reflect.TypeFor[scenarios.Fencing]():  {Type: "string", Enum: []any{"fenced", "unfenced", "both"}},
		reflect.TypeFor[scenarios.Lost]():     {Type: "string", Enum: []any{"heeding", "ignoring", "both"}},
		reflect.TypeFor[scenarios.Resource](): {Type: "string", Enum: []any{string(scenarios.External), string(scenarios.InTransaction)}},
	}
}

// generated makes the schema.
func generated(t *testing.T) []byte {
	t.Helper()
	r := jsonschema.Reflector{
		FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true,
		DoNotReference: true, Anonymous: true, // one tree without references: every editor's library reads that
		Mapper: func(typ reflect.Type) *jsonschema.Schema { return texts()[typ] },
	}
	must.Succeed(t, r.AddGoComments("github.com/lockbench/lockbench/scenarios", "."))
	r.LookupComment = func(typ reflect.Type, field string) string {
		name := typ.PkgPath() + "." + typ.Name()
		if field != "" {
			name += "." + field
		}
		return inKeys(r.CommentMap[name], typ)
	}
	s := r.Reflect(scenarios.Scenario{})
	s.Version = "http://json-schema.org/draft-07/schema#"
	s.Title = "lockbench scenario"
	limit(s)
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(folded.JSON(b, 118), '\n')
}

// inKeys turns a Go comment into one line that speaks of the file's keys.
func inKeys(comment string, typ reflect.Type) string {
	comment = strings.ReplaceAll(comment, "\n", " ")
	if typ.Kind() != reflect.Struct {
		return comment
	}
	for f := range typ.Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" {
			continue
		}
		comment = regexp.MustCompile(`\b`+f.Name+`\b`).ReplaceAllString(comment, key)
	}
	return comment
}

// limit adds what the types cannot say: which faults, targets and drivers there are.
func limit(s *jsonschema.Schema) {
	var names []any
	for _, d := range all.Drivers() {
		names = append(names, d.Info.Name)
	}
	role := func(more ...any) *jsonschema.Schema {
		for _, r := range faults.Roles() {
			more = append(more, string(r))
		}
		return &jsonschema.Schema{Type: "string", AnyOf: []*jsonschema.Schema{{Enum: more}, {Pattern: hostPattern}}}
	}
	drivers := func(s *jsonschema.Schema) { get(s, "drivers").Items.Enum = names }
	phase := get(s, "phases").Items
	fault := get(phase, "faults").Items
	drivers(s)
	drivers(get(s, "expect").Items)
	drivers(phase)
	drivers(fault)
	get(phase, "holder").Pattern = "^(any|c[0-9]+)$"
	target := role()
	target.Description = get(fault, "target").Description
	fault.Properties.Set("target", target)
	get(fault, "peers").Items = role(string(faults.Resource))
	get(get(s, "sweep"), "values").Items = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	settings(fault)
}

// settings says which settings each fault has.
func settings(fault *jsonschema.Schema) {
	var names []any
	takers := map[string][]string{} // the faults that have a setting of that name
	for _, f := range faults.All() {
		for _, s := range f.Info().Settings {
			takers[s.Name] = append(takers[s.Name], f.Info().Name)
		}
	}
	keys := slices.Sorted(maps.Keys(takers))
	for _, key := range keys {
		fault.Properties.Set(key, &jsonschema.Schema{Description: key + " is a setting of " + strings.Join(takers[key], ", ") + "."})
	}
	for _, f := range faults.All() {
		info := f.Info()
		names = append(names, info.Name)
		isIt := jsonschema.NewProperties()
		isIt.Set("name", &jsonschema.Schema{Const: info.Name})
		takes := &jsonschema.Schema{Properties: jsonschema.NewProperties()}
		for _, key := range keys {
			i := slices.IndexFunc(info.Settings, func(s faults.Setting) bool { return s.Name == key })
			if i < 0 {
				takes.Properties.Set(key, jsonschema.FalseSchema)
				continue
			}
			takes.Properties.Set(key, values(info.Settings[i]))
			if info.Settings[i].Required {
				takes.Required = append(takes.Required, key)
			}
		}
		fault.AllOf = append(fault.AllOf, &jsonschema.Schema{If: &jsonschema.Schema{Properties: isIt}, Then: takes})
	}
	get(fault, "name").Enum = names
}

// values is the schema of what a setting can be.
func values(s faults.Setting) *jsonschema.Schema {
	v := &jsonschema.Schema{Type: "string"}
	switch s.Kind {
	case faults.Duration:
		*v = *texts()[reflect.TypeFor[scenarios.Duration]()]
	case faults.Offset:
		*v = *texts()[reflect.TypeFor[scenarios.Offset]()]
	case faults.Integer:
		v.Type, v.Minimum = "integer", json.Number(strconv.FormatInt(s.Min, 10))
		if s.Max != 0 {
			v.Maximum = json.Number(strconv.FormatInt(s.Max, 10))
		}
	case faults.Choice:
		for _, one := range s.OneOf {
			v.Enum = append(v.Enum, one)
		}
	}
	v.Description = s.Text
	return v
}

func get(s *jsonschema.Schema, key string) *jsonschema.Schema {
	v, _ := s.Properties.Get(key)
	return v
}

func TestSchemaIsThatOfTheTypes(t *testing.T) {
	golden.Compare(t, "scenario.schema.json", generated(t))
}

// TestSchemaExplainsEveryKey: what an editor shows beside a key is never empty.
func TestSchemaExplainsEveryKey(t *testing.T) {
	var walk func(path string, s *jsonschema.Schema)
	walk = func(path string, s *jsonschema.Schema) {
		if s.Items != nil {
			walk(path+"[]", s.Items)
		}
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			at := path + "." + p.Key
			if p.Value.Description == "" {
				t.Errorf("%s has no description: its field has no comment", at)
			}
			walk(at, p.Value)
		}
	}
	var s jsonschema.Schema
	must.Succeed(t, json.Unmarshal(generated(t), &s))
	walk("$", &s)
}

// compiled is the schema that is shipped.
func compiled(t *testing.T) *validator.Schema {
	t.Helper()
	doc, err := validator.UnmarshalJSON(strings.NewReader(scenarios.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	must.Succeed(t, c.AddResource("scenario.json", doc))
	s, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// accepts reports what the schema says of a YAML file.
func accepts(t *testing.T, s *validator.Schema, file []byte) error {
	t.Helper()
	b, err := yaml.YAMLToJSON(file)
	if err != nil {
		return err
	}
	doc, err := validator.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestSchemaAcceptsTheShippedScenarios(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := accepts(t, s, b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaRefusesBadFiles: the first line of each says whether a schema can see what is wrong with it.
func TestSchemaRefusesBadFiles(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sees := bytes.HasPrefix(b, []byte("# The editor sees it."))
		if err := accepts(t, s, b); (err != nil) != sees {
			t.Errorf("%s: the schema says %v", name, err)
		}
	}
}

// TestPatternsAreTheParsers holds the patterns of texts against what the loader takes.
func TestPatternsAreTheParsers(t *testing.T) {
	schemas := texts()
	for _, tt := range []struct {
		into interface{ UnmarshalText([]byte) error }
		good []string
		bad  []string
	}{
		{new(scenarios.Duration), []string{"2s", "500ms", "1h2m", "0s", "0", "1.5s"}, []string{"2", "2x", "-1s", "", "1ttl", "2 s"}},
		{new(scenarios.Span), []string{"1.5ttl", "3ttl", "2s", "0s"}, []string{"ttl", "-1ttl", "1.5 ttl", "1.5", ""}},
		{new(scenarios.Range), []string{"5ms..20ms", "5ms", "1ttl..2ttl", "5ms..2ttl"}, []string{"5..6", "5ms-6ms", "5ms..", "..5ms", "1s..2s..3s"}},
		{new(scenarios.Moment), []string{"held 10ms", "held", "rival", "recovered 1ttl", "500ms"}, []string{"holds", "held10ms", "held ", "later"}},
		{new(scenarios.Toggle), []string{"on", "off", "both"}, []string{"yes", "On", ""}},
		{new(scenarios.Fencing), []string{"fenced", "unfenced", "both"}, []string{"yes", "Fenced", ""}},
		{new(scenarios.Lost), []string{"heeding", "ignoring", "both"}, []string{"yes", "heed", ""}},
		{new(scenarios.Resource), []string{"external", "in-transaction"}, []string{"", "inside"}},
	} {
		typ := reflect.TypeOf(tt.into).Elem()
		s, ok := schemas[typ]
		if !ok {
			t.Fatalf("%v has no schema", typ)
		}
		matches := func(text string) bool {
			return s.Pattern == "" && slices.Contains(s.Enum, any(text)) || s.Pattern != "" && regexp.MustCompile(s.Pattern).MatchString(text)
		}
		for i, text := range slices.Concat(tt.good, tt.bad) {
			want := i < len(tt.good)
			if err := tt.into.UnmarshalText([]byte(text)); (err == nil) != want || matches(text) != want {
				t.Errorf("%v %q: the loader says %v, the schema %v; want %v", typ, text, err, matches(text), want)
			}
		}
	}
}
