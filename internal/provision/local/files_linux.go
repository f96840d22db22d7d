package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/lockbench/lockbench/internal/provision"
)

// Dir implements provision.Files.
func (h *Host) Dir(name string, owner *provision.User) (string, error) {
	dir := filepath.Join(h.scratch, name)
	err := h.below(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil && owner != nil {
		err = os.Chown(dir, int(owner.UID), int(owner.GID))
		if err == nil {
			err = enterable(dir, owner)
		}
	}
	if err != nil {
		return "", fmt.Errorf("make the directory of %s: %w", name, err)
	}
	return dir, nil
}

// enterable returns nil, or why a user does not get as far as the user's own directory.
func enterable(dir string, owner *provision.User) error {
	err := as(*owner, func() error {
		_, err := os.Stat(dir)
		return err
	})
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("user %d, as whom it runs, may not pass a directory above %s: choose another place with TMPDIR", owner.UID, dir)
	}
	return err
}

// Write implements provision.Files.
func (h *Host) Write(path string, content []byte) error {
	err := h.below(path)
	if err == nil {
		err = h.write(path, content)
	}
	if err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	return nil
}

// write makes the file with its content and gives it to the owner of its directory. It follows no link that the owner
// may have put there.
func (h *Host) write(path string, content []byte) (err error) {
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(content); err != nil {
		return err
	}
	if owner, ok := dir.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return f.Chown(int(owner.Uid), int(owner.Gid))
	}
	return nil
}

// Read implements provision.Files.
func (h *Host) Read(path string) ([]byte, error) {
	if err := h.below(path); err != nil {
		return nil, fmt.Errorf("read a file: %w", err)
	}
	return os.ReadFile(path)
}

// Empty implements provision.Files.
func (h *Host) Empty(dir string, keep ...string) error {
	err := h.below(dir)
	if err != nil {
		return fmt.Errorf("empty a directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if err == nil && !slices.Contains(keep, e.Name()) {
			err = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("empty a directory: %w", err)
	}
	return nil
}
