package explain

import (
	"slices"

	"github.com/lockbench/lockbench/checker/history"
)

// renumber makes a history of some lines of one: versions and bases are counted as if the writes that are not among
// the lines had never been made. Order is kept, so that a write is based on an old version in it only if it was in
// the whole history.
func renumber(lines []line) []history.Op {
	kept := map[string][]uint64{} // the versions that were written, rising, by lock
	ops := make([]history.Op, 0, len(lines))
	for _, l := range lines {
		if l.op.F == history.Write && l.op.Type == history.Apply {
			kept[l.op.Lock] = append(kept[l.op.Lock], l.op.Version.V)
		}
		ops = append(ops, l.op)
	}
	for i := range ops {
		op := &ops[i]
		for _, u := range []*history.Uint{&op.Base, &op.Version} {
			if u.Set {
				at, found := slices.BinarySearch(kept[op.Lock], u.V)
				if found {
					at++
				}
				u.V = uint64(at)
			}
		}
	}
	return ops
}
