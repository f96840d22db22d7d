package recorder

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lockbench/lockbench/internal/history"
)

// MergeInto merges the streams in dir into the history file at path, and then removes dir. notes say what a
// reader of the history should know: whose last record was torn. A dir without streams makes an empty history.
func MergeInto(path, dir string) (notes []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.stream"))
	if err != nil {
		return nil, fmt.Errorf("find the history's streams: %w", err)
	}
	streams := make([][]history.Op, 0, len(files))
	for _, file := range files {
		ops, torn, err := Ops(file)
		if err != nil {
			return nil, err
		}
		if torn {
			notes = append(notes, filepath.Base(file)+": its last record was torn, and dropped")
		}
		streams = append(streams, ops)
	}
	if err := writeHistory(path, history.Merge(streams...)); err != nil {
		return nil, fmt.Errorf("write the history %s: %w", path, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("remove the history's streams: %w", err)
	}
	return notes, nil
}

// Ops decodes what Read returns.
func Ops(path string) (ops []history.Op, torn bool, err error) {
	lines, torn, err := Read(path)
	if err != nil {
		return nil, false, err
	}
	if ops, err = decode(lines); err != nil {
		return nil, false, fmt.Errorf("%s: %w", path, err)
	}
	return ops, torn, nil
}

func writeHistory(path string, ops []history.Op) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	var line []byte
	for i := range ops {
		line = history.AppendLine(line[:0], &ops[i])
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return errors.Join(w.Flush(), f.Sync())
}

func decode(lines []byte) ([]history.Op, error) {
	r := history.NewReader(bytes.NewReader(lines))
	var ops []history.Op
	for {
		op, err := r.Next()
		if errors.Is(err, io.EOF) {
			return ops, nil
		}
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
}
