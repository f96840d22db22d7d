// Package pgsession has what the PostgreSQL locks share: one watched connection, the grants that end with it, and an
// optional transaction for all of them.
package pgsession

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/pgconfig"
)

// RowTable holds a row for each row lock.
const RowTable = "lockbench_lock"

// Schema is the schema of a namespace's tables. It is the only search path of the namespace's sessions, and their
// application name. So statements and faults find only what belongs to the namespace.
func Schema(namespace string) string {
	const longest, kept = 63, 30 // the server cuts longer names off
	name := "lockbench"
	if namespace != "" {
		name += "_" + namespace
	}
	if len(name) > longest {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name)) // a hash never fails
		name = fmt.Sprintf("%s_%016x", name[:kept], h.Sum64())
	}
	return name
}

// Config is how a session of the namespace connects to the server at addr ("host:port").
func Config(addr string, opt drivers.Options) (*pgx.ConnConfig, error) {
	conf, err := pgconfig.At(addr, opt.Credentials.User, opt.Credentials.Password)
	if err != nil {
		return nil, err
	}
	schema := Schema(opt.Namespace)
	conf.RuntimeParams["application_name"], conf.RuntimeParams["search_path"] = schema, pgx.Identifier{schema}.Sanitize()
	return conf, nil
}

// configAt is Config for a lock's servers, of which there is one.
func configAt(addrs []string, opt drivers.Options) (*pgx.ConnConfig, error) {
	if len(addrs) != 1 {
		return nil, fmt.Errorf("%d servers of PostgreSQL given, a lock has one", len(addrs))
	}
	return Config(addrs[0], opt)
}

// connected runs f on a connection of its own.
func connected(ctx context.Context, addrs []string, opt drivers.Options, f func(*pgx.Conn) error) (err error) {
	conf, err := configAt(addrs, opt)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return fmt.Errorf("open a session with PostgreSQL at %s: %w", addrs[0], err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return f(conn)
}
