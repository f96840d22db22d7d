package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/agent"
)

// postgresBin finds the directory with the server's programs: the one on PATH, else the newest that is installed.
func postgresBin() (string, error) {
	if path, err := lookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	var found []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin"} {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			return "", fmt.Errorf("look for PostgreSQL in %s: %w", pattern, err)
		}
		for _, dir := range dirs {
			if _, err := lookPath("initdb", dir); err == nil {
				found = append(found, dir)
			}
		}
	}
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed (no initdb on PATH nor in /usr/lib/postgresql/*/bin); install it: apt-get install postgresql")
	}
	return slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(postgresMajor(a), postgresMajor(b)) }), nil
}

// postgresMajor is the version in a path such as "/usr/lib/postgresql/15/bin"; 0 if there is none.
func postgresMajor(dir string) float64 {
	base := filepath.Base(filepath.Dir(dir))
	v, err := strconv.ParseFloat(base[strings.LastIndexByte(base, '-')+1:], 64)
	if err != nil {
		return 0
	}
	return v
}

// postgresUser is whom to run the server as: it refuses to run as root.
func postgresUser() (*agent.User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
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
		return &agent.User{UID: uint32(uid), GID: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody: run as another user")
}
