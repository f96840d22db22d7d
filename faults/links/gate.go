package links

import (
	"sync"
	"time"
)

// gate lets the bytes of one flow (everything that travels from one host to another, whoever dialled)
// through, holds them back or swallows them. Faults are counted: the flow is open when every one of them was healed.
//
// The gate sits where bytes are handed to the receiver's socket and not, as a toxic would, in front of that: a
// chunk on its way from a toxic to the socket would still pass after the cut.
type gate struct {
	shaper shaper // how what passes is slowed

	mu      sync.Mutex
	drained sync.Cond // no write is in progress
	writing map[*outlet]struct{}
	cuts    int                  // faults that hold bytes back
	holes   int                  // faults that swallow them
	resets  int                  // faults that end connections; new ones end as they are made
	lossy   map[*outlet]struct{} // what had a byte or its end swallowed
	changed chan struct{}        // closed when cuts or holes change
}

func newGate() *gate {
	g := &gate{writing: map[*outlet]struct{}{}, lossy: map[*outlet]struct{}{}, changed: make(chan struct{})}
	g.shaper.healed = make(chan struct{})
	g.drained.L = &g.mu
	return g
}

// cut closes the gate. When it returns, no byte passes until heal.
func (g *gate) cut() { g.block(&g.cuts) }

// swallow makes the gate a hole. When it returns, no byte passes until fill.
func (g *gate) swallow() { g.block(&g.holes) }

func (g *gate) block(count *int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	*count++
	g.tell()
	for o := range g.writing {
		// A write that waits for a slow receiver would go on when the receiver reads: break it off, the rest of
		// its bytes is sent after the cut. An error means that the socket is closed, and then nothing is sent.
		_ = o.socket.SetWriteDeadline(time.Unix(1, 0))
	}
	for len(g.writing) > 0 {
		g.drained.Wait()
	}
}

// tell wakes whoever waits at the gate. The caller holds mu.
func (g *gate) tell() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// heal takes one cut back.
func (g *gate) heal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cuts--
	g.tell()
}

// fill takes one hole back. If it was the last, it returns what lost bytes.
func (g *gate) fill() (lossy map[*outlet]struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holes--
	g.tell()
	if g.holes == 0 {
		lossy, g.lossy = g.lossy, map[*outlet]struct{}{}
	}
	return lossy
}

// reset counts the faults that end connections.
func (g *gate) reset(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.resets += n
}

func (g *gate) resetting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.resets > 0
}

// blocked reports whether the gate holds bytes back or swallows them now.
func (g *gate) blocked() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cuts > 0 || g.holes > 0
}

// ifOpen calls f, which must not wait, if the gate is open; else it returns what is closed when that may have changed.
func (g *gate) ifOpen(f func()) (changed <-chan struct{}, open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cuts > 0 || g.holes > 0 {
		return g.changed, false
	}
	f()
	return nil, true
}

// wait calls f once the gate is open, or returns false when stop was closed first.
func (g *gate) wait(stop <-chan struct{}, f func()) bool {
	for {
		changed, open := g.ifOpen(f)
		if open {
			return true
		}
		select {
		case <-changed:
		case <-stop:
			return false
		}
	}
}

// passage is what becomes of bytes at a gate.
type passage int

const (
	passes  passage = iota // they are handed to the receiver
	lost                   // they are swallowed
	stopped                // the connection has ended
)

// enter waits while the gate holds bytes back, and says what becomes of those of o. If they pass, o is marked as
// writing until it leaves.
func (g *gate) enter(o *outlet) passage {
	for {
		if o.isDead() {
			return stopped
		}
		g.mu.Lock()
		changed := g.changed
		switch {
		case g.holes > 0:
			g.lossy[o], o.spoiled = struct{}{}, true
			g.mu.Unlock()
			return lost
		case o.spoiled: // the hole is filled, and whoever did that is about to reset the connection: nothing may come behind a gap
			g.mu.Unlock()
			return lost
		case g.cuts == 0:
			g.writing[o] = struct{}{}
			g.mu.Unlock()
			return passes
		}
		g.mu.Unlock()
		select {
		case <-changed:
		case <-o.dead:
		}
	}
}

func (g *gate) leave(o *outlet) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.writing, o)
	if len(g.writing) == 0 {
		g.drained.Broadcast()
	}
}
