package judge

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// TestFileInAnyOrder judges a history from disk, in the order of times and with the lines of one client after those
// of the other.
func TestFileInAnyOrder(t *testing.T) {
	b, err := os.ReadFile("../../examples/history.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	ops, err := history.ReadAll(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	opt := checker.Options{StuckAfter: 1e9}
	want, err := checker.Check(ops, opt)
	if err != nil || want.Counts.Overlap != 1 {
		t.Fatalf("%+v, %v", want, err)
	}
	mixed := slices.Clone(ops)
	slices.SortStableFunc(mixed, func(a, b history.Op) int { return strings.Compare(a.Client, b.Client) })
	for i := range mixed {
		mixed[i].Index = int64(i)
	}
	for name, ops := range map[string][]history.Op{"by time": ops, "by client": mixed} {
		if got, err := File(write(t, ops), opt); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	mixed[3].Grant = 7
	var line *history.LineError
	if _, err := File(write(t, mixed), opt); !errors.As(err, &line) || line.Line != 4 || !strings.Contains(err.Error(), "history.jsonl") {
		t.Errorf("a malformed one: %v", err)
	}
}

func write(t *testing.T, ops []history.Op) string {
	t.Helper()
	var text []byte
	for i := range ops {
		text = history.AppendLine(text, &ops[i])
	}
	path := filepath.Join(t.TempDir(), "history.jsonl")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
