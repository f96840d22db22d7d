package pgsession

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The heartbeat asks every TTL/4 and waits TTL/3 for the answer. So Lost closes at most 1/4 + 1/3 of the TTL after a
// connection dies. A call in progress is given a beat's time first: then it is at most 1/4 + 1/4 + 1/3.
const (
	beatsPerTTL   = 4
	answersPerTTL = 3
)

// errSilent says that the server did not answer in time.
var errSilent = errors.New("no answer from the server")

// beat asks for a sign of life for as long as the session lasts.
func (s *Session) beat() {
	interval := max(s.ttl/beatsPerTTL, 1)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.closing:
			return
		}
		s.mu.Lock()
		over, idle, since := s.over, len(s.grants) == 0, s.since
		s.mu.Unlock()
		if over != nil {
			return
		}
		if idle {
			continue
		}
		select {
		case <-s.turn:
			s.ask()
			s.turn <- struct{}{}
		default:
			if !since.IsZero() && time.Since(since) > interval && !s.witnessed() {
				s.LoseAll()
			}
		}
	}
}

// ask asks the server for a sign of life. The caller has the turn. Without an answer in time the grants are lost, but
// the connection stays open until Close: if it closed, the server would free the locks before the holders have
// stopped. The request has no deadline: pgx closes the connection when a context ends.
func (s *Session) ask() {
	timeout := s.ttl / answersPerTTL
	watchdog := time.AfterFunc(timeout, func() {
		_ = s.declareOver(fmt.Errorf("%w to a heartbeat within %v", errSilent, timeout)) // reported by whoever uses it next
	})
	defer watchdog.Stop()
	err := s.call(func() error { return s.conn.Ping(context.Background()) })
	if err != nil {
		_ = s.end(err) // also a refusal: the transaction is over then. Reported by whoever uses the session next
	}
}

// isAlive asks whether a server process lives: its number and its beginning name it.
const isAlive = "select exists (select from pg_stat_activity where pid = $1 and backend_start = $2)"

// witnessed asks whether the server process of the session is alive. If so, the session still holds its locks. It
// uses a connection of its own, because the session's connection is busy while a call waits in the server, for
// example for another lock.
func (s *Session) witnessed() bool {
	ctx, cancel := context.WithTimeout(context.Background(), s.ttl/answersPerTTL)
	defer cancel()
	if s.witness == nil {
		conn, err := pgx.ConnectConfig(ctx, s.conn.Config())
		if err != nil {
			return false
		}
		s.witness = conn
	}
	var alive bool
	err := s.witness.QueryRow(ctx, isAlive, s.conn.PgConn().PID(), s.began).Scan(&alive)
	return err == nil && alive
}
