package recorder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

// Extension ends the name of every stream.
const Extension = ".stream"

// ErrUnwritten: the stream's writer died as it made it, so it holds nothing.
var ErrUnwritten = errors.New("its writer died as it made it, so it holds nothing")

// ErrDamaged: what is in the file is not what a writer leaves, whenever it dies.
var ErrDamaged = errors.New("it is damaged")

// StreamError says which stream cannot be read, and why.
type StreamError struct {
	Path string
	Err  error
}

func (e *StreamError) Error() string {
	return fmt.Sprintf("read the history stream %s: %v", e.Path, e.Err)
}

// Unwrap returns Err.
func (e *StreamError) Unwrap() error { return e.Err }

// Streams lists the streams in dir whose names begin with prefix, in the order of their names; none if there is no dir. It is no
// glob, for a directory may have any name.
func Streams(dir, prefix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &StreamError{Path: dir, Err: err}
	}
	var paths []string
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, prefix) && strings.HasSuffix(name, Extension) {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths, nil
}

// Read returns the lines of a stream that were committed, whether or not its writer still lives, and
// whether a record behind them was torn by the writer's death. Its error is a *StreamError.
func Read(path string) (lines []byte, torn bool, err error) {
	if err := results.Regular(path); err != nil {
		return nil, false, &StreamError{Path: path, Err: err}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, false, &StreamError{Path: path, Err: err}
	}
	if len(b) < header || [8]byte(b[:8]) != magic() {
		if len(bytes.Trim(b, "\x00")) == 0 {
			return nil, false, &StreamError{Path: path, Err: ErrUnwritten}
		}
		return nil, false, &StreamError{Path: path, Err: fmt.Errorf("%w: it does not begin as a stream does", ErrDamaged)}
	}
	n := binary.NativeEndian.Uint64(b[8:16])
	if n > uint64(len(b)-header) {
		return nil, false, &StreamError{Path: path, Err: fmt.Errorf("%w: %d bytes committed, %d there", ErrDamaged, n, len(b)-header)}
	}
	rest := b[header+n:]
	return b[header : header+n], len(rest) > 0 && rest[0] != 0, nil
}

// Ops decodes what Read returns. Its error is a *StreamError.
func Ops(path string) (ops []history.Op, torn bool, err error) {
	lines, torn, err := Read(path)
	if err != nil {
		return nil, false, err
	}
	if ops, err = decode(lines); err != nil {
		return nil, false, &StreamError{Path: path, Err: fmt.Errorf("%w: %w", ErrDamaged, err)}
	}
	return ops, torn, nil
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
