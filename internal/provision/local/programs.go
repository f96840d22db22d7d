// Package local is the machine that this program runs on, as a provision.Host: servers and clients are child
// processes on loopback addresses, and a janitor ends them if this program is killed.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/provision"
)

// JanitorCommand is the hidden subcommand under which the program runs as the janitor.
const JanitorCommand = "internal-janitor"

// Programs are those that are installed on this machine.
type Programs struct{}

// Find implements provision.Programs. The search path is that of the environment.
func (Programs) Find(name string, dirs ...string) []string {
	var found []string
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), dirs...) {
		matches, _ := filepath.Glob(filepath.Join(dir, name)) // a directory that is no pattern has no matches
		for _, path := range matches {
			if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
				found = append(found, path)
			}
		}
	}
	return found
}

// Exists implements provision.Programs.
func (Programs) Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Output implements provision.Programs.
func (Programs) Output(ctx context.Context, path string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = environment()
	out, err := cmd.Output()
	if failed := new(exec.ExitError); errors.As(err, &failed) && len(failed.Stderr) > 0 {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(failed.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("run %s: %w", path, err)
	}
	return string(out), nil
}

// Unprivileged implements provision.Programs.
func (Programs) Unprivileged(names ...string) (*provision.User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue // the next may exist
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s has the number %q: %w", name, u.Uid, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("the group of user %s has the number %q: %w", name, u.Gid, err)
		}
		return &provision.User{UID: uint32(uid), GID: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("this program runs as root, and there is no user %s: run it as another user", strings.Join(names, " or "))
}
