// Package disk says what to do about errors of the file system.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Advise adds to an error of the file system what to do about it.
func Advise(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: make room, or choose another disk with --out", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: choose a writable place with --out", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: you may not write there", err)
	}
	return err
}

// Read returns the content of a regular file, or of a link to one, that has at most limit bytes.
func Read(path string, limit int64) ([]byte, error) {
	if err := Regular(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // nothing was written to it
	tooLarge := fmt.Errorf("%s is too large: at most %d KiB are read", path, limit>>10)
	if st, err := f.Stat(); err == nil && st.Size() > limit {
		return nil, tooLarge
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1)) // it may grow, and a file of /proc has no size
	if err == nil && int64(len(b)) > limit {
		err = tooLarge
	}
	return b, err
}

// Regular returns nil if there is a regular file at path, or a link to one.
func Regular(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: lockbench reads only those; remove it, or put back what belongs there", path)
	}
	return nil
}
