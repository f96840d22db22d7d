package links

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// outlet is the end of one direction of one connection: the receiver's socket behind the flow's gate, and in front of
// the gate a queue in which chunks wait while the flow is slowed.
//
// toxiproxy's own toxics cannot do that here. One is added and removed by interrupting its neighbours in the
// pipeline, and those do not heed it while the gate behind them is closed: on a link that is cut, adding one hangs
// until the heal, and removing one does so, too, or gives what is under way 5 s to pass and then drops it. Both were
// seen.
type outlet struct {
	socket *net.TCPConn
	gate   *gate
	dead   <-chan struct{} // closed when the connection has ended: what still comes is thrown away
	broken func()          // the receiver is gone
	done   func()          // this direction has ended; idempotent

	spoiled bool // something of it was swallowed; the gate's mu guards it

	mu      sync.Mutex
	pending int         // chunks in the queue or on their way out of it
	queue   chan *chunk // nil until it is needed
	sent    time.Time   // when the last piece was handed over; only pump uses it
}

// maxQueued is how many chunks may be under way in one direction of a connection. A sender that is faster waits.
const maxQueued = 1024

// Write takes p, to send it at once or when its time has come. It never fails: when the receiver is gone it takes the
// rest all the same, for toxiproxy's pipeline in front of it only ends when its source does.
func (o *outlet) Write(p []byte) (int, error) {
	if !o.enqueue(p, false) {
		o.deliver(p)
	}
	return len(p), nil
}

// Close ends this direction as its sender did: the receiver reads an end of file. Faults hold that back like any byte.
func (o *outlet) Close() error {
	if !o.enqueue(nil, true) {
		o.end()
	}
	return nil
}

// enqueue puts a chunk into the queue, or returns false if nothing keeps it from being delivered at once.
func (o *outlet) enqueue(p []byte, end bool) bool {
	now := time.Now()
	o.mu.Lock()
	delays := o.gate.shaper.delays(end)
	if o.pending == 0 && delays == nil {
		o.mu.Unlock()
		return false
	}
	if o.queue == nil {
		o.queue = make(chan *chunk, maxQueued)
	}
	if o.pending == 0 {
		go o.pump()
	}
	o.pending++
	o.mu.Unlock()
	o.queue <- &chunk{data: bytes.Clone(p), end: end, read: now, delays: delays} // pump takes it: it only ends when none is pending
	return true
}

// pump delivers what is in the queue, in order, and ends when that is empty.
func (o *outlet) pump() {
	for c := range o.queue {
		o.release(c)
		o.mu.Lock()
		o.pending--
		empty := o.pending == 0
		o.mu.Unlock()
		if empty {
			return
		}
	}
}

// release delivers a chunk, in pieces if it must be, each at its time.
func (o *outlet) release(c *chunk) {
	s := &o.gate.shaper
	s.sleep(c.due, o.dead)
	for len(c.data) > 0 && !o.isDead() { // what is thrown away takes no place on the line
		n, slots := s.piece(len(c.data), o.sent)
		s.sleep(func() time.Time { return latest(slots) }, o.dead)
		o.deliver(c.data[:n])
		o.sent = time.Now()
		c.data = c.data[n:]
	}
	if c.end {
		o.end()
	}
}

func (o *outlet) isDead() bool {
	select {
	case <-o.dead:
		return true
	default:
		return false
	}
}

// deliver hands p to the receiver, holding back what is left of it while the flow is cut.
func (o *outlet) deliver(p []byte) {
	for sent := 0; sent < len(p); {
		if o.gate.enter(o) != passes {
			return
		}
		n, err := o.socket.Write(p[sent:])
		o.gate.leave(o)
		sent += n
		if errors.Is(err, os.ErrDeadlineExceeded) { // broken off by a cut
			err = o.socket.SetWriteDeadline(time.Time{})
		}
		if err != nil {
			o.broken()
			return
		}
	}
}

// end lets the receiver read an end of file. If that is swallowed, the connection stays until it is reset.
func (o *outlet) end() {
	defer o.done()
	switch o.gate.enter(o) {
	case passes:
		_ = o.socket.CloseWrite() // fails if the receiver is gone, which ends the other direction, too
		o.gate.leave(o)
	case lost:
		<-o.dead
	}
}
