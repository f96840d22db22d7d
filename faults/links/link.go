package links

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
)

// link is one toxiproxy link: a listener that stands for an upstream. It runs toxiproxy's pipelines, but accepts and
// closes connections itself, because toxiproxy's own loop
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
	running          sync.WaitGroup
	next             atomic.Uint64

	mu    sync.Mutex
	conns map[*conn]struct{} // nil: the link is closed
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
		listener: ln, stop: make(chan struct{}), conns: map[*conn]struct{}{},
	}
	l.running.Go(l.accept)
	return l, nil
}

func (l *link) accept() {
	for {
		caller, err := l.listener.Accept()
		if err != nil {
			select {
			case <-l.stop:
				return
			case <-time.After(10 * time.Millisecond): // out of file descriptors, most likely: try again
				continue
			}
		}
		l.running.Go(func() { l.serve(newConn(l, caller.(*net.TCPConn))) })
	}
}

// serve runs a connection, which faults find while it lasts.
func (l *link) serve(c *conn) {
	l.mu.Lock()
	closed := l.conns == nil
	if !closed {
		l.conns[c] = struct{}{}
	}
	l.mu.Unlock()
	if closed {
		abort(c.caller)
		return
	}
	c.run()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// connections lists those that are made or being made.
func (l *link) connections() []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	conns := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	return conns
}

// carries reports whether the link carries one of the flows.
func (l *link) carries(flows []*gate) bool {
	return slices.Contains(flows, l.forward) || slices.Contains(flows, l.reverse)
}

// close stops listening, drops every connection and waits until nothing of the link runs any more.
func (l *link) close() error {
	close(l.stop)
	err := l.listener.Close()
	l.mu.Lock()
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for c := range conns {
		c.close()
	}
	l.running.Wait()
	if err != nil {
		return fmt.Errorf("close link %s: %w", l.proxy.Name, err)
	}
	return nil
}
