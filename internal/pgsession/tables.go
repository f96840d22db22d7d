package pgsession

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// CreateTables runs the statements, each a CREATE TABLE IF NOT EXISTS, in a session of its own at addr.
func CreateTables(ctx context.Context, addr string, statements ...string) (err error) {
	conf, err := Config(addr)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return fmt.Errorf("open a session with PostgreSQL at %s: %w", addr, err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, sql := range statements {
		_, err := conn.Exec(ctx, sql)
		if raced(err) {
			_, err = conn.Exec(ctx, sql) // by now it exists
		}
		if err != nil {
			return fmt.Errorf("make the locks' tables: %w", err)
		}
	}
	return nil
}

// raced reports whether a table could not be made because another session was making it, which IF NOT EXISTS does
// not see.
func raced(err error) bool {
	const uniqueViolation, duplicateTable, duplicateObject = "23505", "42P07", "42710"
	var answer *pgconn.PgError
	return errors.As(err, &answer) &&
		(answer.Code == uniqueViolation || answer.Code == duplicateTable || answer.Code == duplicateObject)
}
