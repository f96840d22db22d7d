package faults

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
)

// link is one toxiproxy link: a listener that stands for an upstream. It runs toxiproxy's pipelines and
// toxics, but accepts and closes connections itself, because toxiproxy's own loop
//   - tells connections apart by the caller's port, so that one that reuses a port escapes later toxics
//     (https://github.com/Shopify/toxiproxy/issues/148),
//   - lets a connection reach the upstream while the link is cut, and
//   - closes both directions when one ends.
type link struct {
	proxy            *toxiproxy.Proxy
	server           *toxiproxy.ApiServer
	forward, reverse *gate // caller → upstream, upstream → caller
	listener         net.Listener
	stop             chan struct{}
	conns            sync.Map // *net.TCPConn → struct{}
	running          sync.WaitGroup
	next             atomic.Uint64
}

// openLink starts to listen. Listening on port 0 picks a free one.
func openLink(server *toxiproxy.ApiServer, name, listen, upstream string, forward, reverse *gate) (*link, error) {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("open link %s: %w", name, err)
	}
	l := &link{
		proxy:  toxiproxy.NewProxy(server, name, ln.Addr().String(), upstream),
		server: server, forward: forward, reverse: reverse,
		listener: ln, stop: make(chan struct{}),
	}
	l.running.Go(l.accept)
	return l, nil
}

func (l *link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			select {
			case <-l.stop:
				return
			case <-time.After(10 * time.Millisecond): // out of file descriptors, most likely: try again
				continue
			}
		}
		l.running.Go(func() { l.connect(conn.(*net.TCPConn)) })
	}
}

// connect dials the upstream for one caller. While either direction is cut a TCP handshake cannot complete:
// the caller waits, as it does on a real network for the answer to its SYN, and if it has given up
// before the heal, the upstream never hears of it.
func (l *link) connect(caller *net.TCPConn) {
	l.conns.Store(caller, struct{}{})
	drop := func(conn *net.TCPConn) {
		l.conns.Delete(conn)
		_ = conn.SetLinger(0) // refuse with a reset, as a closed port does
		_ = conn.Close()
	}
	waited := false
	for l.forward.isCut() || l.reverse.isCut() {
		waited = true
		if !l.forward.wait(l.stop) || !l.reverse.wait(l.stop) {
			drop(caller)
			return
		}
	}
	if waited && hasHungUp(caller) {
		drop(caller)
		return
	}
	up, err := net.Dial("tcp", l.proxy.Upstream)
	if err != nil {
		drop(caller)
		return
	}
	upstream := up.(*net.TCPConn)
	l.conns.Store(upstream, struct{}{})
	select {
	case <-l.stop: // close may have looked for connections already
		drop(caller)
		drop(upstream)
	default:
		l.relay(caller, upstream)
	}
}

// relay runs both directions until each has ended, then closes both sockets.
func (l *link) relay(caller, upstream *net.TCPConn) {
	name := fmt.Sprintf("%s#%d", l.proxy.Name, l.next.Add(1))
	var open sync.WaitGroup
	open.Add(2)
	abort := func() { // a socket that is closed twice says so, and nobody needs to know
		_ = caller.Close()
		_ = upstream.Close()
	}
	forward := &outlet{conn: upstream, gate: l.forward, stop: l.stop, abort: abort, done: sync.OnceFunc(open.Done)}
	reverse := &outlet{conn: caller, gate: l.reverse, stop: l.stop, abort: abort, done: sync.OnceFunc(open.Done)}
	l.proxy.Toxics.StartLink(l.server, name+">", caller, forward, stream.Upstream)
	l.proxy.Toxics.StartLink(l.server, name+"<", upstream, reverse, stream.Downstream)
	open.Wait()
	l.conns.Delete(caller)
	l.conns.Delete(upstream)
	abort()
}

// close stops listening, drops every connection and waits until nothing of the link runs any more.
func (l *link) close() error {
	close(l.stop)
	err := l.listener.Close()
	l.conns.Range(func(conn, _ any) bool {
		_ = conn.(*net.TCPConn).Close()
		return true
	})
	l.running.Wait()
	if err != nil {
		return fmt.Errorf("close link %s: %w", l.proxy.Name, err)
	}
	return nil
}
