package zookeeper

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/lockbench/lockbench/drivers"
)

// grace is how long a call may outlive its context to learn its outcome. It is also how long the end of a session
// waits for a server.
const grace = 500 * time.Millisecond

// locker is one session.
//
// The client library resumes a session after a disconnect and begins a new one after an expiry, without being asked.
// Here a session ends with its first disconnect. The servers may have ended it by then, and the client must not
// assume that it holds anything until it knows.
type locker struct {
	conn   *zk.Conn
	events <-chan zk.Event
	opt    drivers.Options
	acl    []zk.ACL      // of the nodes that it makes
	shake  time.Duration // what a server may take to answer the first message

	begun chan struct{} // closed when the session begins
	lost  chan struct{} // closed at the first disconnect after that
	calls sync.WaitGroup

	open context.Context // until Close
	end  func()

	mu     sync.Mutex
	socket net.Conn
}

func open(ctx context.Context, addrs []string, opt drivers.Options) (*locker, error) {
	l := &locker{
		opt: opt, acl: zk.WorldACL(zk.PermAll), shake: opt.TTL / 3,
		begun: make(chan struct{}), lost: make(chan struct{}),
	}
	l.open, l.end = context.WithCancel(context.Background())
	var err error
	l.conn, l.events, err = zk.Connect(addrs, opt.TTL,
		zk.WithHostProvider(newHosts(addrs, opt.Rand)), zk.WithDialer(l.dial),
		zk.WithEventCallback(l.event), zk.WithLogger(silent{}), zk.WithLogInfo(false))
	if err != nil {
		l.end()
		return nil, fmt.Errorf("connect to ZooKeeper at %s: %w", strings.Join(addrs, ", "), err)
	}
	select {
	case <-l.begun:
		err = l.authenticate(ctx)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		_ = l.Close() // it returns no error
		return nil, fmt.Errorf("get a session from ZooKeeper at %s: %w", strings.Join(addrs, ", "), err)
	}
	return l, nil
}

// authenticate says who the session is, if there are credentials. Only who knows them can use the nodes that it makes.
func (l *locker) authenticate(ctx context.Context) error {
	as := l.opt.Credentials
	if as.Password == "" {
		return nil
	}
	l.acl = zk.DigestACL(zk.PermAll, as.User, as.Password)
	_, err := call(ctx, l, func(c *zk.Conn) (struct{}, error) {
		return struct{}{}, c.AddAuth("digest", []byte(as.User+":"+as.Password))
	})
	return err
}

// dial keeps the socket so that Close can break it. Otherwise the library would read from it until its time-out.
func (l *locker) dial(network, addr string, timeout time.Duration) (net.Conn, error) {
	d := net.Dialer{Timeout: timeout}
	conn, err := d.DialContext(l.open, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.socket = conn
	if err := l.open.Err(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &handshake{Conn: conn, limit: l.shake}, nil
}

// handshake is a connection to a server that may be cut off or paused. The library waits for the answer to its first
// message for more than six session time-outs before it tries the next server. This connection waits for limit.
type handshake struct {
	net.Conn
	limit time.Duration
	set   bool
}

// SetReadDeadline implements net.Conn. The first deadline is that of the first answer.
func (h *handshake) SetReadDeadline(t time.Time) error {
	if !h.set {
		h.set = true
		t = time.Now().Add(h.limit)
	}
	return h.Conn.SetReadDeadline(t)
}

// event follows the session's state. The library calls it from one goroutine.
func (l *locker) event(e zk.Event) {
	if e.Type != zk.EventSession {
		return
	}
	switch e.State {
	case zk.StateHasSession:
		if !isClosed(l.begun) {
			close(l.begun)
		}
	case zk.StateDisconnected, zk.StateExpired:
		if isClosed(l.begun) && !isClosed(l.lost) {
			close(l.lost)
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Close implements drivers.Locker. The session ends at once if its server can be reached, and otherwise at its
// time-out.
func (l *locker) Close() error {
	t := time.AfterFunc(grace, l.disconnect)
	l.conn.Close() // waits for the answer, but no longer than a second, nor than the connection lives
	t.Stop()
	l.disconnect()
	for range l.events { // closed as the library's goroutines end
	}
	l.calls.Wait()
	return nil
}

func (l *locker) disconnect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
	if l.socket != nil {
		_ = l.socket.Close() // the library may have done it
	}
}

// call runs a request of the library until ctx ends. The library takes no context: a request still in progress then
// ends with Close at the latest. If ctx has ended before, nothing is sent.
func call[T any](ctx context.Context, l *locker, f func(*zk.Conn) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	done := make(chan result, 1)
	l.mu.Lock() // Close waits for what was started before it
	if l.open.Err() != nil {
		l.mu.Unlock()
		return none, zk.ErrClosing
	}
	l.calls.Go(func() {
		v, err := f(l.conn)
		done <- result{v, err}
	})
	l.mu.Unlock()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// withGrace is ctx, but ends grace later.
func withGrace(ctx context.Context) (context.Context, func()) {
	later, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(grace, end)
		context.AfterFunc(later, func() { t.Stop() })
	})
	return later, func() { stop(); end() }
}

// silent drops the library's log. Every error reaches the caller anyway.
type silent struct{}

// Printf implements zk.Logger.
func (silent) Printf(string, ...any) {}

// hosts offers the servers in an order that is drawn once. The library's own provider has no seed. Only one goroutine
// uses it.
type hosts struct {
	addrs []string
	next  int
	tried int // since the last success
}

func newHosts(addrs []string, random *rand.Rand) *hosts {
	h := &hosts{addrs: slices.Clone(addrs)}
	random.Shuffle(len(h.addrs), func(i, j int) { h.addrs[i], h.addrs[j] = h.addrs[j], h.addrs[i] })
	return h
}

// Init implements zk.HostProvider; the servers are known already.
func (h *hosts) Init([]string) error { return nil }

// Len implements zk.HostProvider.
func (h *hosts) Len() int { return len(h.addrs) }

// Next implements zk.HostProvider. The library pauses for a second each time that all servers were tried in vain.
func (h *hosts) Next() (server string, retryStart bool) {
	server = h.addrs[h.next]
	h.next = (h.next + 1) % len(h.addrs)
	retryStart = h.tried > 0 && h.tried%len(h.addrs) == 0
	h.tried++
	return server, retryStart
}

// Connected implements zk.HostProvider.
func (h *hosts) Connected() { h.tried = 0 }
