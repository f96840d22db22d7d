package pgtest

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Link is a connection to a server that can be cut: then it holds back what either side sends, as a network does that
// loses packets. New connections are accepted and held too.
type Link struct {
	Addr string

	listener net.Listener
	upstream string
	work     sync.WaitGroup

	mu        sync.Mutex
	open      bool
	changed   *sync.Cond
	closed    bool
	fromAbove bool // only what the server sends is held
	conns     []net.Conn
}

// NewLink makes a link to upstream, which closes with the test.
func NewLink(t testing.TB, upstream string) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{Addr: listener.Addr().String(), listener: listener, upstream: upstream, open: true}
	l.changed = sync.NewCond(&l.mu)
	l.work.Go(l.accept)
	t.Cleanup(l.close)
	return l
}

// Cut holds everything back from now on.
func (l *Link) Cut() { l.set(false, false) }

// CutReplies holds back what the server sends; requests still arrive.
func (l *Link) CutReplies() { l.set(false, true) }

// Heal delivers what was held back.
func (l *Link) Heal() { l.set(true, false) }

func (l *Link) set(open, fromAbove bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open, l.fromAbove = open, fromAbove
	l.changed.Broadcast()
}

func (l *Link) close() {
	_ = l.listener.Close()
	l.mu.Lock()
	l.closed = true
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.changed.Broadcast()
	l.mu.Unlock()
	l.work.Wait()
}

func (l *Link) accept() {
	for {
		below, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.track(below)
		l.work.Go(func() {
			above, err := net.Dial("tcp", l.upstream)
			if err != nil {
				_ = below.Close()
				return
			}
			l.track(above)
			l.work.Go(func() { l.pump(above, below, false) })
			l.pump(below, above, true)
		})
	}
}

func (l *Link) track(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, c)
	if l.closed {
		_ = c.Close()
	}
}

// pass waits until the direction is open.
func (l *Link) pass(fromAbove bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && !l.open && (fromAbove || !l.fromAbove) {
		l.changed.Wait()
	}
}

// pump moves bytes from one side to the other, and then the end of the connection, both held while the link is cut.
func (l *Link) pump(to, from net.Conn, fromAbove bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		l.pass(fromAbove)
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				err = errors.Join(err, werr)
			}
		}
		if err != nil {
			if tcp, ok := to.(*net.TCPConn); ok && errors.Is(err, io.EOF) {
				_ = tcp.CloseWrite()
				return
			}
			_ = to.Close()
			return
		}
	}
}
