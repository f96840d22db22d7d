package measure

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/lockbench/lockbench/checker/history"
)

// Source is a history that can be read again.
type Source struct {
	// Read feeds all lines in order, and returns the error of feed or its own.
	Read func(feed func(*history.Op) error) error
	// End is the time of the last line, or 0 if nobody knows: then the history is read twice.
	End int64

	malformed error // what is wrong with the lines in the order in which they were written
}

// Ops is a history in memory.
func Ops(ops []history.Op) Source {
	s := Source{Read: func(feed func(*history.Op) error) error {
		for i := range ops {
			if err := feed(&ops[i]); err != nil {
				return err
			}
		}
		return nil
	}}
	if len(ops) > 0 {
		s.End = ops[len(ops)-1].Time
	}
	return s
}

// File is a saved history. Its errors name the file; those of the lines wrap a *history.LineError.
func File(path string) Source {
	end, _ := lastTime(path) // what is wrong with the file is told when it is read
	return Source{End: end, Read: func(feed func(*history.Op) error) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was only read
		err = history.ForEach(f, feed)
		if line := new(history.LineError); errors.As(err, &line) {
			return fmt.Errorf("%s: %w", path, err)
		}
		return err
	}}
}

// tail is how much of a file's end is read to find its last line.
const tail = 64 << 10

// lastTime is the time of a history's last line.
func lastTime(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	end := make([]byte, min(size, tail))
	if _, err := f.ReadAt(end, size-int64(len(end))); err != nil {
		return 0, err
	}
	end = bytes.TrimSpace(end)
	op, err := history.NewReader(bytes.NewReader(end[bytes.LastIndexByte(end, '\n')+1:])).Next()
	return op.Time, err
}

// inOrder sorts a history by its times. The lines of the resource stay in their own order.
func inOrder(source Source) (Source, error) {
	type line struct {
		at int64
		op *history.Op
	}
	var ops []history.Op
	err := source.Read(func(op *history.Op) error {
		ops = append(ops, *op)
		return nil
	})
	if err != nil {
		return source, err
	}
	_, malformed := history.Parse(ops)
	lines := make([]line, len(ops))
	resource := int64(math.MinInt64)
	for i := range ops {
		lines[i] = line{ops[i].Time, &ops[i]}
		if isResource(&ops[i]) {
			resource = max(resource, ops[i].Time)
			lines[i].at = resource
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	sorted := make([]history.Op, len(ops))
	for i, l := range lines {
		sorted[i] = *l.op
		sorted[i].Index = int64(i)
	}
	source = Ops(sorted)
	source.malformed = malformed
	return source, nil
}

func isResource(op *history.Op) bool { return op.Type == history.Apply || op.Type == history.Reject }
