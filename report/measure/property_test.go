package measure

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// What is measured does not depend on where a history is read from, on how much is known of it before, or on how
// lines of different processes are mixed.
func TestMeasuresDoNotDependOnTheSource(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	rapid.Check(t, func(t *rapid.T) {
		ops, run, test, verdict := drawTest(t)
		want, err := Test(&run, &test, Ops(ops), &verdict)
		if err != nil {
			t.Fatal(err)
		}
		var lines []byte
		for i := range ops {
			lines = history.AppendLine(lines, &ops[i])
		}
		if err := os.WriteFile(path, lines, 0o600); err != nil {
			t.Fatal(err)
		}
		unknown := Ops(ops)
		unknown.End = 0
		byProcess := slices.Clone(ops)
		slices.SortStableFunc(byProcess, func(a, b history.Op) int { return int(a.Process - b.Process) })
		for i := range byProcess {
			byProcess[i].Index = int64(i)
		}
		for name, source := range map[string]Source{"a file": File(path), "an unknown end": unknown} {
			got, err := Test(&run, &test, source, &verdict)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("from %s:\n got %+v\nwant %+v", name, got, want)
			}
		}
		got, err := Test(&run, &test, Ops(byProcess), &verdict)
		if err != nil {
			t.Fatal(err)
		}
		// Lines at one time are in no order, and some figures depend on which goes first.
		if got.Latency.Samples != want.Latency.Samples || got.Contended.Samples != want.Contended.Samples || len(got.Phases) != len(want.Phases) {
			t.Errorf("by process:\n got %+v\nwant %+v", got, want)
		}
	})
}
