//go:build unix

package results

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Lock claims the run's directory, until release: a run holds it while it goes on. The error of a directory that
// somebody has claimed wraps ErrInUse. The claim is the kernel's, and ends with the process however that ends.
func (d Dir) Lock() (release func() error, err error) { return d.lock(unix.LOCK_EX) }

// Idle returns nil if no run is going on in the directory, and else an error that wraps ErrInUse: its streams are its
// own, and what it says of itself is not its last word.
func (d Dir) Idle() error {
	release, err := d.lock(unix.LOCK_SH) // others may look at the same time
	if err != nil {
		return err
	}
	return release()
}

func (d Dir) lock(how int) (release func() error, err error) {
	f, err := os.Open(string(d))
	if err != nil {
		return nil, fmt.Errorf("claim the run's directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB); err != nil {
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
