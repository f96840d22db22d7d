package faults

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// gate lets the bytes of one flow (everything that travels from one host to another, whoever dialled)
// through, or holds them back. Cuts are counted: the flow is open when every one of them was healed.
//
// The gate sits where bytes are handed to the receiver's socket and not, as a toxic would, in front of that: a
// chunk on its way from a toxic to the socket would still pass after the cut.
type gate struct {
	mu      sync.Mutex
	drained sync.Cond // no write is in progress
	writing map[*outlet]struct{}
	cuts    int
	opened  chan struct{} // closed while the flow is open
}

func newGate() *gate {
	g := &gate{writing: map[*outlet]struct{}{}, opened: make(chan struct{})}
	g.drained.L = &g.mu
	close(g.opened)
	return g
}

// cut closes the gate. When it returns, no byte passes until heal.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cuts++
	if g.cuts > 1 {
		return
	}
	g.opened = make(chan struct{})
	for o := range g.writing {
		// A write that waits for a slow receiver would go on when the receiver reads: break it off, the rest of
		// its bytes is sent after the cut. An error means that the socket is closed, and then nothing is sent.
		_ = o.conn.SetWriteDeadline(time.Unix(1, 0))
	}
	for len(g.writing) > 0 {
		g.drained.Wait()
	}
}

// heal takes one cut back.
func (g *gate) heal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cuts--
	if g.cuts == 0 {
		close(g.opened)
	}
}

// isCut reports whether the gate holds bytes back now.
func (g *gate) isCut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cuts > 0
}

// wait returns true once the gate is open, or false when stop was closed first.
func (g *gate) wait(stop <-chan struct{}) bool {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	select {
	case <-opened:
		return true
	case <-stop:
		return false
	}
}

// enter waits until the gate is open and marks o as writing, or returns false when stop was closed first.
func (g *gate) enter(o *outlet, stop <-chan struct{}) bool {
	for g.wait(stop) {
		g.mu.Lock()
		if g.cuts == 0 {
			g.writing[o] = struct{}{}
			g.mu.Unlock()
			return true
		}
		g.mu.Unlock()
	}
	return false
}

func (g *gate) leave(o *outlet) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.writing, o)
	if len(g.writing) == 0 {
		g.drained.Broadcast()
	}
}

// outlet is the end of one direction of one connection: the receiver's socket behind the flow's gate.
type outlet struct {
	conn   *net.TCPConn
	gate   *gate
	stop   <-chan struct{} // the link is being torn down
	abort  func()          // closes both sockets of the connection
	done   func()          // this direction has ended; idempotent
	broken bool            // the receiver is gone; only the goroutine that writes reads this
}

// Write sends p, holding back what is left of it while the flow is cut. It never fails: when the receiver is
// gone it breaks the connection and takes the rest, for toxiproxy's pipeline in front of it only ends when its
// source does.
func (o *outlet) Write(p []byte) (int, error) {
	for sent := 0; sent < len(p) && !o.broken; {
		if !o.gate.enter(o, o.stop) {
			o.broken = true
			break
		}
		n, err := o.conn.Write(p[sent:])
		o.gate.leave(o)
		sent += n
		if errors.Is(err, os.ErrDeadlineExceeded) { // broken off by a cut
			err = o.conn.SetWriteDeadline(time.Time{})
		}
		if err != nil {
			o.broken = true
			o.abort()
		}
	}
	return len(p), nil
}

// Close ends this direction as its sender did: once the flow is open, the receiver reads an end of file. A
// partition holds that back like any byte.
func (o *outlet) Close() error {
	defer o.done()
	if o.broken || !o.gate.wait(o.stop) {
		o.abort()
		return nil
	}
	return o.conn.CloseWrite()
}
