package pgsession

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lockbench/lockbench/drivers"
)

// CreateTables makes the namespace's schema if it does not exist, and runs the statements in it. Each is a CREATE
// TABLE IF NOT EXISTS. It uses a session of its own.
func CreateTables(ctx context.Context, addrs []string, opt drivers.Options, statements ...string) error {
	return connected(ctx, addrs, opt, func(conn *pgx.Conn) error { return createTables(ctx, conn, opt.Namespace, statements...) })
}

func createTables(ctx context.Context, conn *pgx.Conn, namespace string, statements ...string) error {
	schema := "create schema if not exists " + pgx.Identifier{Schema(namespace)}.Sanitize()
	for _, sql := range append([]string{schema}, statements...) {
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

// raced reports whether a table or schema could not be made because another session was making it at the same time.
// IF NOT EXISTS does not prevent that.
func raced(err error) bool {
	const uniqueViolation, duplicateTable, duplicateObject, duplicateSchema = "23505", "42P07", "42710", "42P06"
	var answer *pgconn.PgError
	return errors.As(err, &answer) &&
		slices.Contains([]string{uniqueViolation, duplicateTable, duplicateObject, duplicateSchema}, answer.Code)
}
