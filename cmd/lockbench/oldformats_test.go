package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/run/nemesis"
)

// TestOldFormats holds that runs which the last builds of formats 1 and 2 saved are judged and reported as those builds
// did: testdata has what they wrote.
func TestOldFormats(t *testing.T) {
	t.Run("format1", func(t *testing.T) { oldFormat(t, "format1", "E2 | E5", "cut off", "paused") }) // the one with a dead-peer time and no peers
	t.Run("format2", func(t *testing.T) { oldFormat(t, "format2", "E2 | E4 | E5", "paused") })
}

// oldFormat wants what that build found, the evidences that are missing of its fenced lock, and what is told of clients.
func oldFormat(t *testing.T, name, missing string, told ...string) {
	dir := filepath.Join(unpack(t, "testdata/"+name+".tar.gz"), name)
	command := func(args ...string) string {
		var out, said bytes.Buffer
		if code := program(t.Context(), nil, &out, &said, args); code == exitUsage || code == exitInternal {
			t.Fatalf("%v ended with %d: %s", args, code, said.String())
		}
		return out.String()
	}
	before := judgements(t, dir)
	figures := func() {
		t.Helper()
		want, err := os.ReadFile(filepath.Join(dir, "summary.csv"))
		if err != nil {
			t.Fatal(err)
		}
		now := command("report", dir, "--format", "csv")
		sameColumns(t, now, string(want))
		if got := columns(t, now)["evidence_missing"]; !slices.Equal(got, []string{"NA", missing}) { // Redis SETNX issues no token
			t.Errorf("evidence_missing is %q, want %q of etcd", got, missing)
		}
	}
	figures()
	if out := command("compare", dir, dir); !strings.Contains(out, "Redis SETNX") {
		t.Errorf("compare says %s", out)
	}
	out := command("check", dir, "--explain")
	if after := judgements(t, dir); !reflect.DeepEqual(after, before) {
		t.Errorf("judged anew: %+v\nbefore: %+v", after, before)
	}
	for _, want := range told {
		if !strings.Contains(out, want) {
			t.Errorf("no explanation tells of a client that was %s:\n%s", want, out)
		}
	}
	figures()
	for _, word := range []string{`"fencing": "off"`, `"lost": "on"`} {
		if said := command("report", dir, "--format", "json"); strings.Contains(said, word) || !strings.Contains(said, `"heeding": false`) {
			t.Errorf("the report has old words such as %s: %s", word, said)
		}
	}
	if _, _, err := nemesis.LoadSchedule(filepath.Join(dir, "schedule.yaml"), all.Drivers()); err != nil {
		t.Errorf("its schedule cannot be replayed: %v", err)
	}
}

// unpack returns a directory with what is in a compressed archive.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.FileInfo().IsDir() {
			err = os.MkdirAll(path, 0o755)
		} else {
			var b []byte
			if b, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(path, b, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// judgement is what a run's verdict.json says of one test.
type judgement struct {
	Test   string
	Result struct {
		Exclusion, Data, Liveness struct{ Verdict string }
		Counts                    checker.Counts
	}
}

func judgements(t *testing.T, dir string) []judgement {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "verdict.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Tests []judgement }
	if err := json.Unmarshal(b, &all); err != nil || len(all.Tests) == 0 {
		t.Fatalf("%d verdicts: %v", len(all.Tests), err)
	}
	for i := range all.Tests { // those of today count more
		c := &all.Tests[i].Result.Counts
		c.NeedlessLoss, c.LossCost, c.ReleasedUnheld = 0, 0, 0
		c.OverlapTime, c.LongestOverlap, c.OverlapBrief, c.Told, c.ToldLate, c.WorstMargin = 0, 0, 0, 0, 0, 0
	}
	return all.Tests
}

// gap lasted to the heal then, and the figures of a cell were of several tests; overlaps were only counted, and lost was
// a word of the setting.
var (
	gap      = regexp.MustCompile(`(; )?(gap|back in|for as long as) [^;|]*|; \d+ of \d+ granted`)
	lost     = regexp.MustCompile(` Lost or not| or ignoring| Lost`)
	overlaps = regexp.MustCompile(`invalid: \d+ (overlaps(; \d+ overlaps)*|grants overlapped a rival's[^;]*)`)
)

// sameColumns fails the test unless every column of the table that is wanted is there, with the same cells.
func sameColumns(t *testing.T, got, want string) {
	t.Helper()
	has := columns(t, got)
	for name, column := range columns(t, want) {
		if name == "fit_needs" { // it named scenarios that were not run; evidence_missing goes by what happened
			continue
		}
		for i := range column {
			for _, then := range []*regexp.Regexp{gap, overlaps, lost} {
				if i < len(has[name]) {
					column[i], has[name][i] = then.ReplaceAllString(column[i], ""), then.ReplaceAllString(has[name][i], "")
				}
			}
		}
		if name != "run" && !reflect.DeepEqual(has[name], column) { // run is where the run lies
			t.Errorf("column %s has %q, want %q", name, has[name], column)
		}
	}
}

// columns are the cells of a table by their columns.
func columns(t *testing.T, text string) map[string][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for i, name := range rows[0] {
		for _, row := range rows[1:] {
			all[name] = append(all[name], row[i])
		}
	}
	return all
}
