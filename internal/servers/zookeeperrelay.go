package servers

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// peerRelay stands between a link and the port of a ZooKeeper server to which the link leads. It does what a link
// cannot: refuse a connection, and be the address that the servers tell each other.
type peerRelay struct {
	listener net.Listener
	upstream string
	// serve takes over a connection that was accepted, until it ends.
	serve   func(*peerRelay, *net.TCPConn)
	running sync.WaitGroup
	stop    chan struct{}

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// newQuorumRelay makes a relay to a quorum port.
//
// Only the leader's port is open. A server that dials a new leader too soon is refused and tries again. A link has
// accepted by then, and can only hang up. The server would take that for the end of the leader, and the ensemble
// might not agree on one before the initLimit has passed. So the relay retries instead.
func newQuorumRelay(ln net.Listener, upstream string) *peerRelay {
	return newPeerRelay(ln, upstream, (*peerRelay).serveQuorum)
}

// newElectionRelay makes a relay to an election port, for those who dial a server of a higher number.
//
// Of each pair of servers, the one with the higher number keeps the connection that it made. If the lower one dials,
// the higher one hangs up and dials back to the address in the first message. That address would bypass the links.
// The relay replaces it by callback, the address of the link to the lower server.
func newElectionRelay(ln net.Listener, upstream, callback string) *peerRelay {
	return newPeerRelay(ln, upstream, func(r *peerRelay, caller *net.TCPConn) { r.serveElection(caller, callback) })
}

func newPeerRelay(ln net.Listener, upstream string, serve func(*peerRelay, *net.TCPConn)) *peerRelay {
	r := &peerRelay{listener: ln, upstream: upstream, serve: serve, stop: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	r.running.Go(r.accept)
	return r
}

func (r *peerRelay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			if !r.pause() {
				return
			}
			continue // out of file descriptors, most likely: try again
		}
		r.running.Go(func() {
			if r.keep(conn) {
				defer r.drop(conn)
				r.serve(r, conn.(*net.TCPConn))
			}
		})
	}
}

// pause waits a moment. It returns false if the relay closes.
func (r *peerRelay) pause() bool {
	t := time.NewTimer(5 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.stop:
		return false
	}
}

// keep has close close the connection, too. If the relay is already closed, keep closes it and returns false.
func (r *peerRelay) keep(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.stop:
		_ = conn.Close()
		return false
	default:
		r.conns[conn] = struct{}{}
		return true
	}
}

func (r *peerRelay) drop(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, conn)
	_ = conn.Close()
}

// connectPatience is how long a relay waits for a server. It is about as long as a server that is refused would
// retry.
const connectPatience = 5 * time.Second

// serveQuorum connects the caller with the server until either hangs up.
func (r *peerRelay) serveQuorum(caller *net.TCPConn) {
	var up net.Conn
	for deadline := time.Now().Add(connectPatience); ; {
		var err error
		if up, err = net.DialTimeout("tcp", r.upstream, connectPatience); err == nil {
			break
		}
		if time.Now().After(deadline) || !r.pause() { // refused, most likely
			return
		}
	}
	if !r.keep(up) {
		return
	}
	defer r.drop(up)
	var both sync.WaitGroup
	pass := func(to, from *net.TCPConn) {
		_, _ = io.Copy(to, from) // either way, it is over
		_ = to.CloseWrite()
	}
	both.Go(func() { pass(up.(*net.TCPConn), caller) })
	both.Go(func() { pass(caller, up.(*net.TCPConn)) })
	both.Wait()
}

// serveElection passes the introduction on, and waits until the server hangs up.
func (r *peerRelay) serveElection(caller *net.TCPConn, callback string) {
	deadline := time.Now().Add(connectPatience)
	_ = caller.SetDeadline(deadline)
	message, err := introduction(caller, callback)
	if err != nil {
		return // it hung up, and will call again
	}
	up, err := net.DialTimeout("tcp", r.upstream, connectPatience)
	if err != nil || !r.keep(up) {
		return
	}
	defer r.drop(up)
	_ = up.SetDeadline(deadline)
	if _, err := up.Write(message); err == nil {
		_, _ = io.Copy(io.Discard, up) // it never answers
	}
}

// introduction reads the message with which a server opens an election connection (QuorumCnxManager.InitialMessage:
// version of the protocol, number of the server, length, address), and puts callback for the address.
func introduction(conn io.Reader, callback string) ([]byte, error) {
	const longest = 2048 // the most that a server accepts
	head := make([]byte, 8+8+4)
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[16:])
	if n > longest {
		return nil, fmt.Errorf("an introduction of %d bytes", n)
	}
	if _, err := io.CopyN(io.Discard, conn, int64(n)); err != nil {
		return nil, err
	}
	message := binary.BigEndian.AppendUint32(head[:16], uint32(len(callback)))
	return append(message, callback...), nil
}

// close ends the relay and its connections.
func (r *peerRelay) close() error {
	err := r.listener.Close()
	r.mu.Lock()
	close(r.stop)
	for conn := range r.conns {
		_ = conn.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
	if err != nil {
		return fmt.Errorf("close the relay to %s: %w", r.upstream, err)
	}
	return nil
}
