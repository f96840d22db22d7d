//go:build unix

package disk

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// claim claims a new file. It reports false if SweepTemps was faster.
func claim(f *os.File) (bool, error) {
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return false, nil
	case err != nil && !lockless(err):
		return false, err
	}
	var st unix.Stat_t
	err := unix.Fstat(int(f.Fd()), &st)
	return st.Nlink > 0, err
}

// lockless reports whether an error says that the file system has no locks.
func lockless(err error) bool {
	return errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOLCK)
}

// removeUnclaimed removes a file that nobody has claimed. Where there are no locks, nobody can know.
func removeUnclaimed(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it is complete now
	}
	if err != nil {
		return err
	}
	defer f.Close() // nothing was written to it
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return nil
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
