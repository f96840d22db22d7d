// Package redisclient connects to a Redis server with settings under which a lock can tell what became of its calls.
package redisclient

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lockbench/lockbench/drivers"
)

// Client is a go-redis client whose calls can be broken off; see Heed.
type Client struct {
	*redis.Client
	open context.Context // until Close
	end  context.CancelFunc

	mu    sync.Mutex
	conns map[*conn]struct{}
}

// New makes a client of the server at addr. It connects when it is first used.
func New(addr string, as drivers.Credentials) *Client {
	c := &Client{conns: map[*conn]struct{}{}}
	c.open, c.end = context.WithCancel(context.Background())
	dialer := net.Dialer{Timeout: 5 * time.Second}
	c.Client = redis.NewClient(&redis.Options{
		Addr:     addr,
		Username: as.User,
		Password: as.Password,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(c.open, cancel)()
			nc, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return c.keep(nc.(*net.TCPConn))
		},
		// A retried SET NX whose first reply was lost answers "not set" while the server holds our value.
		MaxRetries:    -1,
		DialerRetries: 1,
		// Without it a call outlives its context's deadline by the read time-out.
		ContextTimeoutEnabled: true,
		// The pool is as large as the library makes it: an extension must not wait behind a release, and after as many
		// failures as the pool has room the library does not try to connect for a second.
		DisableIdentity: true,
	})
	return c
}

// conn is a connection that its client knows until it is closed. It must not hide the TCP connection's SyscallConn,
// by which go-redis finds out whether an idle connection was closed by the server.
type conn struct {
	*net.TCPConn
	client *Client
}

func (c *Client) keep(tcp *net.TCPConn) (net.Conn, error) {
	nc := &conn{TCPConn: tcp, client: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open.Err() != nil {
		_ = tcp.Close() // nobody has used it
		return nil, net.ErrClosed
	}
	c.conns[nc] = struct{}{}
	return nc, nil
}

// Close ends the calls under way. The library's own Close leaves alone those that wait for a connection to be made.
func (c *Client) Close() error {
	c.end()
	err := c.Client.Close()
	c.hangUp()
	return err
}

// Close implements net.Conn.
func (nc *conn) Close() error {
	nc.client.mu.Lock()
	delete(nc.client.conns, nc)
	nc.client.mu.Unlock()
	return nc.TCPConn.Close()
}

func (c *Client) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for nc := range c.conns {
		_ = nc.TCPConn.Close() // whoever uses it is told; go-redis then closes it again, as it does with any broken one
	}
}

// Heed breaks off the calls under way on the clients when ctx is cancelled, until done is called: go-redis heeds a
// context's deadline, but nothing tells it of a cancellation while it waits for a reply
// (https://github.com/redis/go-redis/issues/2556). A call that was broken off may have happened. The clients stay
// usable: they connect again. Calls of others on these clients break, too, which the extension of a lease survives.
func Heed(ctx context.Context, clients ...*Client) (done func()) {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return
		}
		for _, c := range clients {
			c.hangUp()
		}
	})
	return func() {
		if !stop() {
			<-ended // the caller's next call must not be broken off for the sake of this one
		}
	}
}

// OwnerValue draws the value of a key: 128 random bits in hexadecimal. It is made within the time that an acquire is
// measured for, so it has to be cheap.
func OwnerValue(r *rand.Rand) string {
	var bits [16]byte
	binary.BigEndian.PutUint64(bits[:8], r.Uint64())
	binary.BigEndian.PutUint64(bits[8:], r.Uint64())
	return hex.EncodeToString(bits[:])
}

// Unsent reports whether a call failed because no connection was made: its command cannot have reached the server.
func Unsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
