package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// CreateTemp makes the file that is to become path once it is complete, beside it. It is claimed by the kernel until it
// is closed, so that SweepTemps knows whether its writer still lives.
func CreateTemp(path string) (*os.File, error) {
	for {
		f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
		if err != nil {
			return nil, err
		}
		claimed, err := claim(f)
		if err == nil && claimed {
			return f, nil
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("claim %s: %w", f.Name(), err)
		}
	}
}

// temp is how CreateTemp names files.
var temp = regexp.MustCompile(`^\..+\.[0-9]+$`)

// SweepTemps removes what CreateTemp has made in a directory and whose writer was killed. No directory is no error.
func SweepTemps(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.Type().IsRegular() && temp.MatchString(e.Name()) {
			err = errors.Join(err, removeUnclaimed(filepath.Join(dir, e.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("remove what a killed program left in %s: %w", dir, err)
	}
	return nil
}
