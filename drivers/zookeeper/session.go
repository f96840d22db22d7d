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

// grace is how long a call may outlive its context in order to learn what became of it, and how long the end of a
// session waits for a server.
const grace = 500 * time.Millisecond

// locker is one session.
//
// The client library resumes a session after a disconnect, and begins a new one after an expiry, both unasked. Here a
// session is over with its first disconnect: the servers may have ended it meanwhile, and until the client hears
// of that it must not assume that it holds anything.
type locker struct {
	conn   *zk.Conn
	events <-chan zk.Event
	random *rand.Rand
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
		random: opt.Rand, shake: opt.TTL / 3,
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
		return l, nil
	case <-ctx.Done():
		_ = l.Close() // it returns no error
		return nil, fmt.Errorf("get a session from ZooKeeper at %s: %w", strings.Join(addrs, ", "), ctx.Err())
	}
}

// dial keeps the socket, so that Close can break it: the library would read from it until its time-out.
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
// message for more than six times the session's time-out before it tries the next server; this one waits for limit.
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

// Close implements drivers.Locker. The session ends at once if its server can be reached, else at its time-out.
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

// call runs a request of the library, which takes no context, until ctx ends. What is still under way then ends with
// Close at the latest. A context that has ended already sends nothing.
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

// silent drops what the library has to say: every error reaches the caller anyway.
type silent struct{}

// Printf implements zk.Logger.
func (silent) Printf(string, ...any) {}

// hosts offers the servers in an order drawn once. The library's own provider draws from a source that has no seed.
// One goroutine uses it.
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
