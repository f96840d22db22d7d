package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestGolden(t *testing.T) {
	m, withTables := fixture(t), tablesFixture(t)
	for _, tt := range []struct {
		file   string
		model  *Model
		format Format
		opt    Options
	}{
		{"all.txt", m, Text, Options{}},
		{"color.txt", m, Text, Options{Color: true}},
		{"all.csv", m, CSV, Options{}},
		{"all.html", m, HTML, Options{}},
		{"all.md", m, Markdown, Options{}},
		{"all.xml", m, JUnit, Options{}},
		{"all.json", m, JSON, Options{}},
		{"tables.md", withTables, Markdown, Options{}},
		{"tables.txt", withTables, Text, Options{}},
		{"tables.csv", withTables, CSV, Options{}},
		{"tables.html", withTables, HTML, Options{}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			var got bytes.Buffer
			if err := Render(&got, tt.format, tt.model, tt.opt); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.file, got.Bytes())
		})
	}
}

// A run that left nothing is not run, and a lock that is not in a run has a dash.
func TestSeries(t *testing.T) {
	swept := tablesFixture(t)
	swept.Rows[0].Clocks = Clocks{Phases: []ClockPhase{{Phase: "moved", Used: 8, Lost: 3}}}
	var got bytes.Buffer
	if err := RenderSeries(&got, []string{"0s", "10ms", "1.5ttl"}, []*Model{fixture(t), nil, swept}); err != nil {
		t.Fatal(err)
	}
	golden(t, "series.txt", got.Bytes())
	got.Reset()
	if err := RenderSeries(&got, []string{"0s"}, []*Model{nil}); err != nil || got.Len() > 0 {
		t.Errorf("of no run: %q, %v", got.String(), err)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./report -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; if it should, go test ./report -update; got:\n%s", path, got)
	}
}
