package pgsession

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
)

// ErrBroken is wrapped by the error of a request that ended its connection: it may have been served.
var ErrBroken = errors.New("the connection broke")

// Client has one connection to the server, and makes it again after it broke. It is for locks that do not end with a
// connection.
type Client struct {
	addr string
	conf *pgx.ConnConfig
	// turn holds the connection while nobody uses it.
	turn chan connection
	open context.Context // until Close
	end  context.CancelFunc
}

// connection is one connection of a Client. Without conn it is yet to be made.
type connection struct {
	conn *pgx.Conn
	// sever closes its sockets at once, also those on which pgx asks to cancel a query.
	sever context.CancelFunc
}

// Connect connects to the one server at addrs and prepares the statements there.
func Connect(ctx context.Context, addrs []string, opt drivers.Options, statements ...string) (*Client, error) {
	conf, err := configAt(addrs, opt)
	if err != nil {
		return nil, err
	}
	c := &Client{addr: addrs[0], conf: conf, turn: make(chan connection, 1)}
	c.open, c.end = context.WithCancel(context.Background())
	c.turn <- connection{}
	err = c.Use(ctx, func(conn *pgx.Conn) error {
		for _, sql := range statements {
			// A connection that is made later prepares a statement when it is first used, which is sooner of use.
			if _, err := conn.Prepare(ctx, sql, sql); err != nil {
				return fmt.Errorf("prepare %q: %w", sql, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Use lends the connection to f. An error of f that is no refusal (see Refused) ends the connection at once; it then Is
// ErrBroken, and the next call makes another. An error that Is ErrUnsent says that f was not called.
func (c *Client) Use(ctx context.Context, f func(conn *pgx.Conn) error) error {
	var l connection
	select {
	case l = <-c.turn:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnsent, ctx.Err())
	}
	defer func() { c.turn <- l }()
	err := ctx.Err()
	switch {
	case c.open.Err() != nil:
		err = ErrClosed
	case err == nil && l.conn == nil:
		l, err = c.connect(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	if err = f(l.conn); err == nil || Refused(err) {
		return err
	}
	l.sever()
	l = connection{}
	return fmt.Errorf("%w: %w", ErrBroken, err)
}

func (c *Client) connect(ctx context.Context) (connection, error) {
	severed, sever := context.WithCancel(c.open)
	conf := c.conf.Copy()
	conf.DialFunc = dialUntil(severed)
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		sever()
		return connection{}, fmt.Errorf("connect to PostgreSQL at %s: %w", c.addr, err)
	}
	return connection{conn, sever}, nil
}

// Close implements drivers.Locker. It breaks off the call under way.
func (c *Client) Close() error {
	var err error
	var l connection
	select {
	case l = <-c.turn:
		if l.conn != nil {
			ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
			defer cancel()
			err = l.conn.Close(ctx)
		}
		c.end()
	default:
		c.end()
		<-c.turn
	}
	c.turn <- connection{}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the connection to PostgreSQL at %s: %w", c.addr, err)
	}
	return nil
}
