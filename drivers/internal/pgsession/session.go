package pgsession

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lockbench/lockbench/drivers"
)

// ErrClosed says that the session was used after Close.
var ErrClosed = errors.New("the session is closed")

// ErrUnsent is wrapped by the error of a request that never left, because its context had ended or there was no
// connection.
var ErrUnsent = errors.New("nothing was sent")

const (
	// closeTimeout bounds how long Close waits for a server that does not answer.
	closeTimeout = 800 * time.Millisecond
	// farewell bounds the work that goes on after the caller's context has ended: the wait of an interrupted call for
	// the server to end the session, and the cleanup after a refused request.
	farewell = 500 * time.Millisecond
)

// Session is one connection to the server. One caller uses it; Close may be called by others. While a grant is open a
// heartbeat uses it in between, because a client of PostgreSQL only learns what it asks for.
type Session struct {
	conn *pgx.Conn
	ttl  time.Duration
	// turn holds one token. Whoever takes it has the connection.
	turn chan struct{}
	// sever closes every socket of the session at once, also those on which pgx still asks to cancel a query.
	sever   context.CancelFunc
	closing chan struct{} // closed by Close
	beating sync.WaitGroup

	began   time.Time // when the server began its process for the session; with its PID, that names it
	witness *pgx.Conn // see witnessed; the heartbeat's own

	mu     sync.Mutex
	grants map[*Grant]struct{}
	since  time.Time     // when the call in progress began; zero: none
	over   error         // why the session ended; nil: it has not
	gone   chan struct{} // closed with over
}

// Open connects to the one server at addrs and prepares the statements there, by their names. A connection that died
// is noticed within the TTL while there are grants.
func Open(ctx context.Context, addrs []string, opt drivers.Options, statements map[string]string) (*Session, error) {
	if opt.TTL <= 0 {
		return nil, fmt.Errorf("heartbeat within %v: it must be longer than 0", opt.TTL)
	}
	conf, err := configAt(addrs, opt)
	if err != nil {
		return nil, err
	}
	severed, sever := context.WithCancel(context.Background())
	conf.DialFunc = dialUntil(severed)
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		sever()
		return nil, fmt.Errorf("open a session with PostgreSQL at %s: %w", addrs[0], err)
	}
	s := &Session{
		conn: conn, ttl: opt.TTL, turn: make(chan struct{}, 1), sever: sever,
		closing: make(chan struct{}), gone: make(chan struct{}), grants: map[*Grant]struct{}{},
	}
	if err := s.prepare(ctx, statements); err != nil {
		sever()
		return nil, fmt.Errorf("prepare a session with PostgreSQL at %s: %w", addrs[0], err)
	}
	s.turn <- struct{}{}
	s.beating.Go(s.beat)
	return s, nil
}

func (s *Session) prepare(ctx context.Context, statements map[string]string) error {
	err := s.conn.QueryRow(ctx, "select backend_start from pg_stat_activity where pid = pg_backend_pid()").Scan(&s.began)
	if err != nil {
		return fmt.Errorf("ask when the session began: %w", err)
	}
	for name, sql := range statements {
		if _, err := s.conn.Prepare(ctx, name, sql); err != nil {
			return fmt.Errorf("prepare %q: %w", sql, err)
		}
	}
	return nil
}

// dialUntil dials sockets that close when severed ends.
func dialUntil(severed context.Context) pgconn.DialFunc {
	var dialer net.Dialer
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(severed, cancel)()
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(severed, func() { _ = conn.Close() }) // closed already, or nobody is left to tell
		return conn, nil
	}
}

// Use lends the connection to f. If f fails with an error that is no refusal (see Refused), the session ends: nobody
// knows how far the request got. If f was not called, the error is ErrUnsent or says why the session is over.
func (s *Session) Use(ctx context.Context, f func(conn *pgx.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	select {
	case <-s.turn:
	case <-s.gone: // a heartbeat that nobody answers may have the turn
		return s.declareOver(ErrClosed)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnsent, ctx.Err())
	}
	defer func() { s.turn <- struct{}{} }()
	return s.call(func() error { return f(s.conn) })
}

// call runs f, whose caller has the turn.
func (s *Session) call(f func() error) error {
	s.mu.Lock()
	if err := s.over; err != nil {
		s.mu.Unlock()
		return err
	}
	s.since = time.Now()
	s.mu.Unlock()
	err := f()
	s.mu.Lock()
	s.since = time.Time{}
	s.mu.Unlock()
	if err == nil || Refused(err) {
		return err
	}
	over := s.declareOver(err)
	s.partFrom()
	s.sever()
	return over
}

// partFrom waits for a short time until the server has ended the session. When a context ends in the middle of a
// request, pgx asks the server for that in the background. Otherwise a server that waits for a lock would go on
// waiting, and get it.
func (s *Session) partFrom() {
	if !s.conn.IsClosed() {
		return
	}
	t := time.NewTimer(farewell)
	defer t.Stop()
	select {
	case <-s.conn.PgConn().CleanupDone():
	case <-t.C:
	}
}

// end closes the sockets at once, because of err.
func (s *Session) end(err error) error {
	over := s.declareOver(err)
	s.sever()
	return over
}

// declareOver marks the session as over because of err, unless it has ended before. Every grant is lost. It returns
// the error that ended the session. That wraps drivers.ErrNotHeld if the server itself ended it.
func (s *Session) declareOver(err error) error {
	s.mu.Lock()
	if s.over == nil {
		s.over = fmt.Errorf("the session with PostgreSQL ended: %w", err)
		if endedByServer(err) {
			s.over = fmt.Errorf("%w: %w", drivers.ErrNotHeld, s.over)
		}
		close(s.gone)
	}
	over := s.over
	s.mu.Unlock()
	s.LoseAll()
	return over
}

// Close implements drivers.Locker: the server frees what the session holds when it reads the farewell or the end
// of the connection.
func (s *Session) Close() error {
	s.mu.Lock()
	select {
	case <-s.closing:
		s.mu.Unlock()
		return nil
	default:
	}
	close(s.closing)
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var err error
	if s.interrupt(ctx) {
		err = s.conn.Close(ctx)
		s.turn <- struct{}{}
	}
	_ = s.end(ErrClosed) // it returns what ended the session, which is no error here
	s.beating.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the session with PostgreSQL: %w", err)
	}
	return nil
}

// interrupt takes the turn. To get it, it asks the server to cancel the call in progress. A server that waits for a
// lock would only notice that the client has gone once it has the lock.
func (s *Session) interrupt(ctx context.Context) bool {
	select {
	case <-s.turn:
		return true
	default:
	}
	if err := s.conn.PgConn().CancelRequest(ctx); err != nil {
		return false // out of reach: the sockets are closed, that ends the call
	}
	select {
	case <-s.turn:
		return true
	case <-ctx.Done():
		return false
	}
}
