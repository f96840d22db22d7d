package recorder

import (
	"bufio"
	"container/heap"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/disk"
)

// MergeInto merges the streams in dir into the history file at path, and then removes them, and dir if nothing else
// is in it. notes say what a reader of the history should know: whose last record was torn, and who died as it made
// its stream. A dir without streams makes an empty history. What cannot be read is a *StreamError.
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

// Recover is MergeInto for what a crash left: it leaves damaged streams out. As long as there are any, no stream is
// removed, so that one that is repaired is merged with all others.
func Recover(path, dir string) (Recovered, error) {
	m, err := read(dir, true)
	if err != nil {
		return Recovered{}, err
	}
	return Recovered{m.notes, m.lacking}, m.save(path, dir)
}

// merged is what was found of streams.
type merged struct {
	streams []string
	done    []string // the files that are not needed once the history is written
	notes   []string
	lacking bool
}

// read reads all streams before anything is written. It keeps nothing of them.
func read(dir string, lenient bool) (*merged, error) {
	files, err := Streams(dir, "")
	if err != nil {
		return nil, err
	}
	m := &merged{}
	for _, file := range files {
		torn, err := verify(file)
		note := func(text string) { m.notes = append(m.notes, filepath.Base(file)+": "+text) }
		var bad *StreamError
		switch {
		case errors.Is(err, ErrUnwritten):
			note(ErrUnwritten.Error())
			m.done = append(m.done, file)
			continue
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
		m.streams, m.done = append(m.streams, file), append(m.done, file)
	}
	return m, nil
}

// verify reads a stream line by line.
func verify(path string) (torn bool, err error) {
	s, err := open(path)
	if err != nil {
		return false, err
	}
	defer s.close()
	for s.err == nil {
		s.next()
	}
	return s.torn, s.readError()
}

// save writes the history and removes what it was made of.
func (m *merged) save(path, dir string) error {
	if err := writeHistory(path, m.streams); err != nil {
		return fmt.Errorf("write the history %s: %w", path, disk.Advise(err))
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

// writeHistory makes the file in one step. One that is there already is replaced only by one that is as long or
// longer: if a crash came while the streams were removed, those that are left make a shorter one.
func writeHistory(path string, streams []string) (err error) {
	f, err := disk.CreateTemp(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	size, err := mergeTo(f, streams)
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

// mergeTo writes the lines of the streams to the disk, in the order of their times, and says how many bytes they are.
// At equal times the earlier stream goes first. It keeps one line of each stream.
func mergeTo(f *os.File, paths []string) (size int64, err error) {
	var left heads
	defer func() {
		for _, s := range left {
			s.close()
		}
	}()
	for i, path := range paths {
		s, err := open(path)
		if err != nil {
			return 0, err
		}
		s.place = i
		left = append(left, s) // to be closed, whatever comes
		s.next()
	}
	for i := len(left) - 1; i >= 0; i-- {
		if s := left[i]; errors.Is(s.err, io.EOF) {
			s.close()
			left = slices.Delete(left, i, i+1)
		}
	}
	heap.Init(&left)
	w := bufio.NewWriter(f)
	var line []byte
	for index := int64(0); len(left) > 0; index++ {
		s := left[0]
		if s.err != nil {
			return 0, s.readError()
		}
		s.op.Index = index
		line = history.AppendLine(line[:0], &s.op)
		if _, err := w.Write(line); err != nil {
			return 0, err
		}
		size += int64(len(line))
		if s.next(); errors.Is(s.err, io.EOF) {
			s.close()
			heap.Pop(&left)
		} else {
			heap.Fix(&left, 0)
		}
	}
	for _, step := range []func() error{w.Flush, func() error { return f.Chmod(0o644) }, f.Sync} {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return size, nil
}

// heads are streams that are read at once, by the times of their next lines.
type heads []*stream

func (h heads) Len() int { return len(h) }

func (h heads) Less(i, j int) bool {
	a, b := h[i].op.Time, h[j].op.Time
	return a < b || a == b && h[i].place < h[j].place
}

func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push and Pop implement heap.Interface.
func (h *heads) Push(x any) { *h = append(*h, x.(*stream)) }

// Pop removes the last stream.
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
