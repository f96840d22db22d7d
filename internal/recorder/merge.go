package recorder

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

// MergeInto merges the streams in dir into the history file at path, and then removes them, and dir if nothing else is in it. notes
// say what a reader of the history should know: whose last record was torn, and who died as it made its stream. A dir without
// streams makes an empty history. What cannot be read is a *StreamError.
func MergeInto(path, dir string) (notes []string, err error) {
	m, err := read(dir, false)
	if err != nil {
		return nil, err
	}
	return m.notes, m.save(path, dir)
}

// Recovered is what Recover says of a history.
type Recovered struct {
	// Notes are as those of MergeInto, and name the damaged streams.
	Notes []string
	// Lacking is true if streams were damaged: what they held is not in the history.
	Lacking bool
}

// Recover is MergeInto for what a crash left: it leaves damaged streams out. As long as there are any, no stream is removed, so that
// one that is repaired is merged with all others.
func Recover(path, dir string) (Recovered, error) {
	m, err := read(dir, true)
	if err != nil {
		return Recovered{}, err
	}
	return Recovered{m.notes, m.lacking}, m.save(path, dir)
}

// merged is what was read of streams.
type merged struct {
	streams [][]history.Op
	done    []string // the files that are not needed once the history is written
	notes   []string
	lacking bool
}

// read reads all streams before anything is written.
func read(dir string, lenient bool) (*merged, error) {
	files, err := Streams(dir, "")
	if err != nil {
		return nil, err
	}
	m := &merged{}
	for _, file := range files {
		ops, torn, err := Ops(file)
		note := func(text string) { m.notes = append(m.notes, filepath.Base(file)+": "+text) }
		var bad *StreamError
		switch {
		case errors.Is(err, ErrUnwritten):
			note(ErrUnwritten.Error())
		case errors.Is(err, ErrDamaged) && lenient && errors.As(err, &bad):
			note(bad.Err.Error() + "; nothing of it is in the history")
			m.lacking = true
			continue
		case err != nil:
			return nil, err
		}
		if torn {
			note("its last record was torn, and dropped")
		}
		m.streams, m.done = append(m.streams, ops), append(m.done, file)
	}
	return m, nil
}

// save writes the history and removes what it was made of.
func (m *merged) save(path, dir string) error {
	if err := writeHistory(path, history.Merge(m.streams...)); err != nil {
		return fmt.Errorf("write the history %s: %w", path, results.Advise(err))
	}
	if m.lacking {
		return nil
	}
	for _, file := range m.done {
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("remove a history's stream: %w", err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		return nil // it was never there, or holds what is not ours
	}
	if err := os.Remove(dir); err != nil {
		return fmt.Errorf("remove the directory of the history's streams: %w", err)
	}
	return nil
}

// writeHistory makes the file in one step. One that is there already is replaced only by one that is as long or longer: if a crash
// came while the streams were removed, those that are left make a shorter one.
func writeHistory(path string, ops []history.Op) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	size, err := writeOps(f, ops)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	switch st, err := os.Stat(path); {
	case err == nil && st.Size() > size:
		return os.Remove(f.Name())
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.Rename(f.Name(), path)
}

// writeOps writes the lines to the disk, and says how many bytes they are.
func writeOps(f *os.File, ops []history.Op) (size int64, err error) {
	w := bufio.NewWriter(f)
	var line []byte
	for i := range ops {
		line = history.AppendLine(line[:0], &ops[i])
		if _, err := w.Write(line); err != nil {
			return 0, err
		}
		size += int64(len(line))
	}
	for _, step := range []func() error{w.Flush, func() error { return f.Chmod(0o644) }, f.Sync} {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return size, nil
}
