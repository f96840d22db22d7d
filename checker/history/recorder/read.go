package recorder

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/disk"
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

// Streams lists the streams in dir whose names begin with prefix, in the order of their names; none if there is no
// dir. It is no glob, for a directory may have any name.
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

// stream is a stream that is read line by line: what of it was committed, whether or not its writer still lives.
type stream struct {
	file  *os.File
	lines *history.Reader
	size  int64 // in bytes, the header left out
	torn  bool  // a record behind them was torn by the writer's death
	op    history.Op
	err   error // why there is no op: io.EOF, or what is wrong
	place int
}

// open opens a stream. Its error is a *StreamError.
func open(path string) (*stream, error) {
	if err := disk.Regular(path); err != nil {
		return nil, &StreamError{Path: path, Err: err}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &StreamError{Path: path, Err: err}
	}
	s := &stream{file: f}
	if err := s.begin(); err != nil {
		s.close()
		return nil, &StreamError{Path: path, Err: err}
	}
	s.lines = history.NewReader(io.NewSectionReader(f, header, s.size))
	return s, nil
}

// begin reads the header, and what it says of the rest.
func (s *stream) begin() error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	var head [16]byte
	if n, err := s.file.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	} else if info.Size() < header || [8]byte(head[:8]) != magic() {
		switch empty, err := blank(s.file); {
		case err != nil:
			return err
		case empty:
			return ErrUnwritten
		}
		return fmt.Errorf("%w: it does not begin as a stream does", ErrDamaged)
	} else if n < len(head) {
		return fmt.Errorf("%w: %d bytes are all of it", ErrDamaged, n)
	}
	n, there := binary.NativeEndian.Uint64(head[8:]), info.Size()-header
	if n > uint64(there) {
		return fmt.Errorf("%w: %d bytes committed, %d there", ErrDamaged, n, there)
	}
	var behind [1]byte
	if _, err := s.file.ReadAt(behind[:], header+int64(n)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	s.size, s.torn = int64(n), behind[0] != 0
	return nil
}

// blank reports whether a file has nothing but zeros.
func blank(f *os.File) (bool, error) {
	in := bufio.NewReader(io.NewSectionReader(f, 0, math.MaxInt64))
	for {
		b, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		case b != 0:
			return false, nil
		}
	}
}

// next reads the next line.
func (s *stream) next() { s.op, s.err = s.lines.Next() }

func (s *stream) close() { _ = s.file.Close() } // it was only read

// Ops reads a whole stream, and whether a record behind it was torn. Its error is a *StreamError.
func Ops(path string) (ops []history.Op, torn bool, err error) {
	s, err := open(path)
	if err != nil {
		return nil, false, err
	}
	defer s.close()
	for s.next(); s.err == nil; s.next() {
		ops = append(ops, s.op)
	}
	return ops, s.torn, s.readError()
}

// readError is what was wrong with the lines, or nil at their end.
func (s *stream) readError() error {
	if errors.Is(s.err, io.EOF) {
		return nil
	}
	return &StreamError{Path: s.file.Name(), Err: fmt.Errorf("%w: %w", ErrDamaged, s.err)}
}

// Read returns the lines of a stream that were committed, and whether a record behind them was torn. Its error is a
// *StreamError.
func Read(path string) (lines []byte, torn bool, err error) {
	s, err := open(path)
	if err != nil {
		return nil, false, err
	}
	defer s.close()
	if lines, err = io.ReadAll(io.NewSectionReader(s.file, header, s.size)); err != nil {
		return nil, false, &StreamError{Path: path, Err: err}
	}
	return lines, s.torn, nil
}

// decodeInto appends the ops that are left in r.
func decodeInto(ops []history.Op, r *history.Reader) ([]history.Op, error) {
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
