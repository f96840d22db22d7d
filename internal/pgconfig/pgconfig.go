// Package pgconfig says how to connect to a PostgreSQL server. The PG* variables and the files in the home directory of
// the user do not change it.
package pgconfig

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// database exists in every new data directory.
const database = "postgres"

// stock has no server, user or password yet. pgx makes a configuration only by reading the PG* variables too, and some
// of them are errors (PGSERVICE) or cannot be overridden. So it is made as the program starts, while they are hidden.
var stock, errStock = func() (*pgx.ConnConfig, error) {
	defer hide("PG")()
	conf, err := pgx.ParseConfig("host=none port=1 user=none password=none dbname=" + database + " sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("make the configuration of a PostgreSQL client: %w", err)
	}
	conf.ConnectTimeout = 0 // the caller's context counts
	return conf, nil
}()

// hide removes the variables whose names begin so from the environment, until restore is called.
func hide(prefix string) (restore func()) {
	hidden := map[string]string{}
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, prefix) {
			hidden[name] = value
			_ = os.Unsetenv(name) // it fails on no name that the environment has
		}
	}
	return func() {
		for name, value := range hidden {
			_ = os.Setenv(name, value) // as above
		}
	}
}

// At is how the user connects to the server at addr ("host:port").
func At(addr, user, password string) (*pgx.ConnConfig, error) {
	if errStock != nil {
		return nil, errStock
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("address of PostgreSQL: %w", err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("address %q of PostgreSQL: %w", addr, err)
	}
	if host == "" || n == 0 {
		return nil, fmt.Errorf("address %q of PostgreSQL needs a host, and a port above 0", addr)
	}
	conf := stock.Copy()
	conf.Host, conf.Port, conf.User, conf.Password = host, uint16(n), user, password
	return conf, nil
}
