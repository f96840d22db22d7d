package servers

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/provision"
)

// postgresBin finds the directory with the server's programs: the one on the search path, else the newest that is
// installed.
func postgresBin(on provision.Programs) (string, error) {
	if found := on.Find("initdb"); len(found) > 0 {
		return filepath.Dir(found[0]), nil
	}
	found := on.Find("initdb", "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed (no initdb on PATH nor in /usr/lib/postgresql/*/bin); install it: apt-get install postgresql")
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(postgresMajor(a), postgresMajor(b)) })), nil
}

// postgresMajor is the version in a path such as "/usr/lib/postgresql/15/bin/initdb"; 0 if there is none.
func postgresMajor(path string) float64 {
	base := filepath.Base(filepath.Dir(filepath.Dir(path)))
	v, err := strconv.ParseFloat(base[strings.LastIndexByte(base, '-')+1:], 64)
	if err != nil {
		return 0
	}
	return v
}

// postgresUser is whom to run the server as: it refuses to run as root.
func postgresUser(on provision.Programs) (*provision.User, error) {
	user, err := on.Unprivileged("postgres", "nobody")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root: %w", err)
	}
	return user, nil
}
