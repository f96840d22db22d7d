package history

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the longest line that a Reader accepts, in bytes, its newline not counted.
const MaxLine = 1 << 20

// LineError says what is wrong with a history, and where.
type LineError struct {
	// Line is the number of the line, from 1.
	Line int
	// Err says what is wrong and what was expected.
	Err error
}

// Error implements error.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns Err.
func (e *LineError) Unwrap() error { return e.Err }

// Reader reads a history line by line. It checks each line by itself; Parse checks how they fit together.
// It is not safe for concurrent use.
type Reader struct {
	in      *bufio.Reader
	line    int
	blank   int // the first of the blank lines just before this one; 0: none
	long    []byte
	decoder decoder
	err     error
}

// NewReader returns a reader of JSON Lines.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 64<<10), decoder: decoder{known: map[string]string{}}}
}

// Reset makes the reader read another history, as NewReader would, without its allocations.
func (r *Reader) Reset(in io.Reader) {
	r.in.Reset(in)
	r.line, r.blank, r.err, r.decoder.old = 0, 0, nil, format1{}
}

// Next returns the next line. Its error is io.EOF after the last one, and otherwise a *LineError; an error is final.
func (r *Reader) Next() (Op, error) {
	var op Op
	if err := r.read(&op); err != nil {
		return Op{}, err
	}
	return op, nil
}

// read decodes the next line into op, which is empty.
func (r *Reader) read(op *Op) error {
	if r.err != nil {
		return r.err
	}
	err := r.next(op)
	if err != nil && err != io.EOF {
		err = &LineError{Line: r.line, Err: err}
	}
	r.err = err
	return err
}

func (r *Reader) next(op *Op) error {
	for {
		line, ended, err := r.readLine()
		if err != nil {
			return err
		}
		if line[0] != '{' && len(bytes.TrimSpace(line)) == 0 {
			if r.blank == 0 {
				r.blank = r.line
			}
			continue
		}
		if r.blank != 0 {
			r.line = r.blank
			return errors.New("blank; blank lines may only follow the last one")
		}
		op.Index = int64(r.line - 1)
		if err := r.decoder.decode(line, op); err != nil {
			if !ended {
				err = fmt.Errorf("the file ends within this line, it may be truncated: %w", err)
			}
			return err
		}
		return nil
	}
}

// readLine returns a line that is valid until the next call, and whether a newline ended it.
func (r *Reader) readLine() (line []byte, ended bool, err error) {
	r.line++
	r.long = r.long[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		if len(r.long)+len(part) > MaxLine+1 {
			return nil, false, fmt.Errorf("longer than %d bytes", MaxLine)
		}
		switch {
		case err == nil && len(r.long) == 0:
			return part, true, nil
		case err == nil:
			return append(r.long, part...), true, nil
		case errors.Is(err, bufio.ErrBufferFull):
			r.long = append(r.long, part...)
		case errors.Is(err, io.EOF):
			r.long = append(r.long, part...)
			if len(r.long) == 0 {
				return nil, false, io.EOF
			}
			if len(r.long) > MaxLine {
				return nil, false, fmt.Errorf("longer than %d bytes", MaxLine)
			}
			return r.long, false, nil
		default:
			return nil, false, fmt.Errorf("read: %w", err)
		}
	}
}

// ReadAll reads a whole history and checks that it is well formed. Its error is a *LineError.
func ReadAll(r io.Reader) ([]Op, error) {
	in := NewReader(r)
	var ops []Op
	for {
		op, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	if _, err := Parse(ops); err != nil {
		return nil, err
	}
	return ops, nil
}
