package recorder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/lockbench/lockbench/internal/history"
)

// header is the length of a stream's first part: it holds the magic number and, in its second word, how many bytes behind it
// are committed.
const header = 4096

// magic begins a stream.
func magic() [8]byte { return [8]byte{'l', 'b', 's', 't', 'r', 'e', 'a', 'm'} }

// Tail reads a stream while it grows. It holds no file open.
type Tail struct {
	path string
	read int64 // bytes behind the header
}

// NewTail reads the stream at path, which need not exist yet.
func NewTail(path string) *Tail { return &Tail{path: path} }

// Next returns the ops that were recorded since the last call.
func (t *Tail) Next() ([]history.Op, error) { return t.next(nil) }

// NextOf is Next for who needs the ops of one f only: to decode the others is most of the cost.
func (t *Tail) NextOf(f string) ([]history.Op, error) {
	return t.next([]byte(`"f":"` + f + `"`)) // as AppendLine writes it; in a text its quotes are escaped
}

// only is the lines that have the key in them.
func only(lines, key []byte) (some []byte) {
	for line := range bytes.Lines(lines) {
		if bytes.Contains(line, key) {
			some = append(some, line...)
		}
	}
	return some
}

// next reads the lines with the key; nil: all.
func (t *Tail) next(key []byte) ([]history.Op, error) {
	f, err := os.Open(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("follow a history stream: %w", err)
	}
	defer f.Close() // opened for reading
	var word [8]byte
	if _, err := f.ReadAt(word[:], 8); errors.Is(err, io.EOF) {
		return nil, nil // it is being made
	} else if err != nil {
		return nil, fmt.Errorf("follow a history stream: %w", err)
	}
	committed := int64(binary.NativeEndian.Uint64(word[:]))
	if committed <= t.read {
		return nil, nil
	}
	if info, err := f.Stat(); err != nil || committed > info.Size()-header {
		return nil, fmt.Errorf("follow the history stream %s: %d bytes committed, and they are not there (%v)", t.path, committed, err)
	}
	lines := make([]byte, committed-t.read)
	if _, err := f.ReadAt(lines, header+t.read); err != nil {
		return nil, fmt.Errorf("follow the history stream %s: %w", t.path, err)
	}
	if key != nil {
		lines = only(lines, key)
	}
	ops, err := decode(lines)
	if err != nil {
		return nil, fmt.Errorf("follow the history stream %s: %w", t.path, err)
	}
	t.read = committed
	return ops, nil
}
