package pgsession

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Refused reports whether err is the server's refusal of a request, on a connection that still works. The statement
// and its transaction had no effect. What outlives a transaction (a session's advisory lock) may have been taken.
func Refused(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.SeverityUnlocalized == "ERROR"
}

// NotRefused turns a refusal into an error that is no refusal, and so ends the session. It is for requests after
// whose refusal nobody knows what the session holds.
func NotRefused(err error) error {
	if !Refused(err) {
		return err
	}
	return fmt.Errorf("unexpected: %v", err) // not wrapped, on purpose
}

// endedByServer reports whether err says that the server ends the session, and with it every lock.
func endedByServer(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && (answer.SeverityUnlocalized == "FATAL" || answer.SeverityUnlocalized == "PANIC")
}

// FollowUp runs f, which cleans up after a refused request. f runs even if the caller's context has ended. After an
// error of f the outcome is in doubt; it is never a refusal.
func FollowUp(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	return NotRefused(f(ctx))
}

// WaitLimit is how long the server may wait for a lock. Its refusal must arrive before ctx ends, because only a
// refusal proves that nothing was taken. 0 means that ctx has no end.
func WaitLimit(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	// The server counts in milliseconds, and takes 0 for no limit.
	return max(time.Until(deadline)*9/10, time.Millisecond).Truncate(time.Millisecond)
}
