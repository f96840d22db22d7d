package explain

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden explains each history of testdata: one per kind of violation, and some that combine them.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no histories: %v", err)
	}
	for _, path := range append(paths, "../../examples/history.jsonl") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			ops, err := history.ReadAll(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			_, all := explained(t, ops)
			var b bytes.Buffer
			for _, e := range all {
				b.WriteString(e.Text + "\n")
				enc := json.NewEncoder(&b)
				enc.SetIndent("", "  ")
				if err := enc.Encode(e); err != nil {
					t.Fatal(err)
				}
				for _, op := range e.Minimal {
					b.Write(history.AppendLine(nil, &op))
				}
			}
			golden(t, strings.TrimSuffix(filepath.Base(path), ".jsonl")+".golden", b.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; make it with -update", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; -update rewrites it\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func source(ops []history.Op) Source {
	return func(yield func(int, *history.Op) error) error {
		for i := range ops {
			if err := yield(i+1, &ops[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

func explained(t interface{ Fatalf(string, ...any) }, ops []history.Op) (checker.Result, []Explanation) {
	result, err := checker.Check(ops, checker.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	all, err := Incidents(&result, source(ops), len(result.Incidents))
	if err != nil {
		t.Fatalf("%v", err)
	}
	if len(all) != len(result.Incidents) {
		t.Fatalf("%d explanations of %d incidents", len(all), len(result.Incidents))
	}
	return result, all
}

func TestDuration(t *testing.T) {
	for ns, want := range map[int64]string{
		0: "0 ns", 7: "7 ns", 999: "999 ns", 1000: "1.00 µs", 12345: "12.3 µs", 999_600: "1.00 ms", 9_996_000: "10.0 ms",
		123_456_789: "123 ms", 999_499_999: "999 ms", 1_204_000_000: "1.20 s", 61_000_000_000: "61.0 s", 3_600_000_000_000: "3600 s",
	} {
		if got := duration(ns); got != want {
			t.Errorf("%d ns: got %s, want %s", ns, got, want)
		}
	}
}
