package links

import (
	"fmt"
	"net"
	"sync"

	"github.com/Shopify/toxiproxy/v2/stream"
)

// conn is one caller's connection across a link: a socket to each end. It is dead once it can carry nothing more;
// an end that a fault keeps from hearing of that stays open, and silent, until the fault is healed.
type conn struct {
	link   *link
	caller *net.TCPConn

	dead chan struct{}
	die  func() // closes dead; idempotent

	mu       sync.Mutex
	upstream *net.TCPConn // nil until it was dialled
}

func newConn(l *link, caller *net.TCPConn) *conn {
	c := &conn{link: l, caller: caller, dead: make(chan struct{})}
	c.die = sync.OnceFunc(func() { close(c.dead) })
	return c
}

// reset ends the connection: each end sees a reset, at once or when it can hear of it.
func (c *conn) reset() {
	c.die()
	c.link.reverse.ifOpen(func() { abort(c.caller) })
	if upstream := c.dialled(); upstream != nil {
		c.link.forward.ifOpen(func() { abort(upstream) })
	}
}

// dropByServer lets the server that was dialled drop the connection. The caller sees a reset as soon as it can hear
// of it. A connection that is still being made does not exist for the server.
func (c *conn) dropByServer() {
	if upstream := c.dialled(); upstream != nil {
		c.die()
		abort(upstream)
		c.reset()
	}
}

func (c *conn) dialled() *net.TCPConn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.upstream
}

// abort resets a connection to one end. It may be closed already, and nobody needs to know.
func abort(socket *net.TCPConn) {
	_ = socket.SetLinger(0)
	_ = socket.Close()
}

// run makes the connection, carries what is sent on it, and ends it.
func (c *conn) run() {
	if c.link.forward.resetting() || c.link.reverse.resetting() {
		c.reset()
	}
	carried := make(chan struct{})
	if c.dial() {
		c.carry(carried)
	} else {
		close(carried)
	}
	select {
	case <-carried:
	case <-c.dead:
	}
	c.end()
	<-carried
}

// dial reaches the upstream. While either direction is blocked a TCP handshake cannot complete: the caller waits, as
// it does on a real network for the answer to its SYN, and if it has given up before the heal, the upstream never
// hears of it.
func (c *conn) dial() bool {
	nothing := func() {}
	waited := false
	for c.link.forward.blocked() || c.link.reverse.blocked() {
		waited = true
		if !c.link.forward.wait(c.dead, nothing) || !c.link.reverse.wait(c.dead, nothing) {
			return false
		}
	}
	select {
	case <-c.dead:
		return false
	default:
	}
	if waited && hasHungUp(c.caller) {
		c.reset()
		return false
	}
	upstream, err := net.Dial("tcp", c.link.proxy.Upstream)
	if err != nil {
		c.reset() // as a closed port does
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.upstream = upstream.(*net.TCPConn)
	return true
}

// carry runs both directions, and closes carried when both have ended.
func (c *conn) carry(carried chan struct{}) {
	l := c.link
	name := fmt.Sprintf("%s#%d", l.proxy.Name, l.next.Add(1))
	var open sync.WaitGroup
	open.Add(2)
	outlet := func(socket *net.TCPConn, g *gate) *outlet {
		return &outlet{socket: socket, gate: g, dead: c.dead, broken: c.reset, done: sync.OnceFunc(open.Done)}
	}
	l.proxy.Toxics.StartLink(l.server, name+">", c.caller, outlet(c.upstream, l.forward), stream.Upstream)
	l.proxy.Toxics.StartLink(l.server, name+"<", c.upstream, outlet(c.caller, l.reverse), stream.Downstream)
	go func() {
		open.Wait()
		close(carried)
	}()
}

// end closes both sockets. If the connection is dead, each end sees a reset, once it can hear of it.
func (c *conn) end() {
	defer c.close()
	select {
	case <-c.dead:
	default:
		return
	}
	var resets sync.WaitGroup
	resets.Go(func() { c.link.reverse.wait(c.link.stop, func() { abort(c.caller) }) })
	if upstream := c.dialled(); upstream != nil {
		resets.Go(func() { c.link.forward.wait(c.link.stop, func() { abort(upstream) }) })
	}
	resets.Wait()
}

// close drops the connection, whatever faults are in force.
func (c *conn) close() {
	c.die()
	_ = c.caller.Close() // a socket that is closed twice says so, and nobody needs to know
	if upstream := c.dialled(); upstream != nil {
		_ = upstream.Close()
	}
}
