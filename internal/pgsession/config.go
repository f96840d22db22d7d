// Package pgsession is what the PostgreSQL locks share: one watched connection, the grants that live and die with
// it, and the transaction that they may have in common.
package pgsession

import (
	"fmt"
	"net"

	"github.com/jackc/pgx/v5"
)

// User is the role that the servers are made for.
const User = "lockbench"

// RowTable holds a row for each row lock.
const RowTable = "lockbench_lock"

// database exists in every new data directory.
const database = "postgres"

// Config is how to connect to the server at addr ("host:port"). PG* variables of the environment do not change it.
func Config(addr string) (*pgx.ConnConfig, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("address of PostgreSQL: %w", err)
	}
	conf, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=%s user=%s dbname=%s sslmode=disable target_session_attrs=any",
		host, port, User, database))
	if err != nil {
		return nil, fmt.Errorf("address %q of PostgreSQL: %w", addr, err)
	}
	conf.RuntimeParams = map[string]string{"application_name": "lockbench"} // instead of what PGOPTIONS asks for
	conf.ConnectTimeout = 0                                                 // the caller's context counts
	return conf, nil
}
