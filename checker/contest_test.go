package checker

import (
	"cmp"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
)

// TestContest holds that both sides of BenchmarkPorcupine are asked the same, and, where Porcupine is quick, agree.
func TestContest(t *testing.T) {
	// Stable: the two of an ambiguous acquire have the same times, and the acquire comes first on both sides.
	inOrder := func(ops []porcupine.Operation) []porcupine.Operation {
		return slices.SortedStableFunc(slices.Values(ops), func(a, b porcupine.Operation) int {
			return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Return, b.Return))
		})
	}
	for _, wrong := range []bool{false, true} {
		for ambiguous := range 4 {
			c := newContest(rand.New(rand.NewPCG(1, 1)), 5, 20, ambiguous, wrong)
			if want := mutexOperations(c.ops); !reflect.DeepEqual(inOrder(c.given), inOrder(want)) {
				t.Fatalf("wrong %t, %d ambiguous: given %+v\nwant %+v\n%s", wrong, ambiguous, inOrder(c.given), inOrder(want), text(c.ops))
			}
			r := check(t, c.ops, Options{})
			if (r.Counts.Overlap == 1) != wrong || r.Counts.Grants != 20 || r.Counts.Ambiguous != ambiguous {
				t.Errorf("wrong %t, %d ambiguous: %+v", wrong, ambiguous, r.Counts)
			}
			if porcupine.CheckOperations(mutexModel(), c.given) == wrong {
				t.Errorf("wrong %t, %d ambiguous: Porcupine says the opposite", wrong, ambiguous)
			}
		}
	}
}
