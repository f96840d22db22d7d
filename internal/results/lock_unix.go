//go:build unix

package results

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Lock claims the run's directory, until release: a run holds it while it goes on, and who makes histories of its streams must not do
// so meanwhile. The error of a directory that another process has claimed wraps ErrInUse. The claim is the kernel's, and ends with
// the process however that ends.
func (d Dir) Lock() (release func() error, err error) {
	f, err := os.Open(string(d))
	if err != nil {
		return nil, fmt.Errorf("claim the run's directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written through it
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			return nil, fmt.Errorf("%s: %w", d, ErrInUse)
		case errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOLCK):
			return func() error { return nil }, nil // a file system without locks, where nobody can know
		}
		return nil, fmt.Errorf("claim the run's directory %s: %w", d, err)
	}
	return f.Close, nil
}
