package pgsession

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Refused reports whether err is the server's answer to a request, on a connection that lives on: the statement, and
// the transaction that it was part of, had no effect. What outlives a transaction (a session's advisory lock) may.
func Refused(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.SeverityUnlocalized == "ERROR"
}

// NotRefused makes a refusal an error that is none (and so ends the session): of a request that must not be refused,
// for then it is open what the session holds.
func NotRefused(err error) error {
	if !Refused(err) {
		return err
	}
	return fmt.Errorf("unexpected: %v", err) // not wrapped, on purpose
}

// endedByServer reports whether err is the server's word that it ends the session, and with it every lock.
func endedByServer(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && (answer.SeverityUnlocalized == "FATAL" || answer.SeverityUnlocalized == "PANIC")
}

// FollowUp runs f, which settles what a refused request left behind, whether or not the caller's context has ended
// meanwhile. An error of f is in doubt, never a refusal.
func FollowUp(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	return NotRefused(f(ctx))
}

// WaitLimit is how long the server may wait for a lock so that its refusal arrives before ctx ends; 0: ctx has no end.
// A refusal proves that nothing was taken, and a context that ends first proves nothing.
func WaitLimit(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	// The server counts in milliseconds, and takes 0 for no limit.
	return max(time.Until(deadline)*9/10, time.Millisecond).Truncate(time.Millisecond)
}
