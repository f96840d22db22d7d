package workload

import (
	"context"
	"sync"
	"time"
)

// holdRequest is the one grant at a time that lasts until it is told to end.
type holdRequest struct {
	mu      sync.Mutex
	wanted  bool
	what    Hold
	resumed chan struct{}
	news    chan struct{} // closed when something is asked for; nil: nobody waits for that
}

// asked is closed when a hold is asked for that a grant in use can fulfil.
func (h *holdRequest) asked() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.news == nil {
		h.news = make(chan struct{})
	}
	return h.news
}

func (h *holdRequest) request(what Hold) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wanted, h.what, h.resumed = true, what, make(chan struct{})
	if h.news != nil && what.InUse {
		close(h.news)
		h.news = nil
	}
}

// wish is the number of the request that no grant fulfils yet; 0: there is none.
func (h *holdRequest) wish() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.wanted {
		return 0
	}
	return h.what.ID
}

// take returns the request and the channel that ends the hold, if this grant is the one that shall last. wish is the
// request that was open when the grant was asked for: a fault injected since then may have come too late for it. A
// grant asks twice: right after it was granted, for a request that begins there, and after the read.
func (h *holdRequest) take(afterGrant bool, wish int64) (what Hold, resumed <-chan struct{}, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.wanted || afterGrant != (h.what.Stop == AfterGrant) || !h.what.InUse && h.what.ID != wish {
		return Hold{}, nil, false
	}
	h.wanted = false
	return h.what, h.resumed, true
}

// resume ends the hold, or takes back the request if no grant has come.
func (h *holdRequest) resume() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.resumed != nil {
		close(h.resumed)
		h.wanted, h.resumed = false, nil
	}
}

// takeHold makes this grant the one that lasts, if one is asked for.
func (c *cycle) takeHold(afterGrant bool) error {
	if c.hold.ID != 0 {
		return nil
	}
	hold, resumed, ok := c.client.hold.take(afterGrant, c.wish)
	if !ok {
		return nil
	}
	c.hold = hold
	if hold.Stop == "" { // one that stops the client lasts no longer than any other
		c.resumed = resumed
	}
	if hold.Stop == BeforeWrite {
		return nil
	}
	return c.holding(hold.Stop)
}

// holding tells the coordinator that the grant lasts, and stops the client if this is the point where it shall.
func (c *cycle) holding(point string) error {
	err := c.client.emit(Event{Holding: &Holding{ID: c.hold.ID, Process: c.process, Grant: c.number, Lock: c.lock}})
	if err != nil || point == "" {
		return err
	}
	return stopHere()
}

// wait spends the hold: a drawn time, or until the coordinator says so, who may ask for that meanwhile. A worker that
// heeds the loss stops at it.
func (c *cycle) wait(ctx context.Context) error {
	lasts := c.draw(c.load.HoldMin, c.load.HoldMax)
	if lasts <= 0 && c.resumed == nil {
		return nil
	}
	t := time.NewTimer(lasts)
	defer t.Stop()
	lost, changed := c.lease.Lost(), c.changed
	if c.lost {
		lost = nil
	}
	for {
		drawn := t.C
		if c.resumed != nil { // a hold of the coordinator's ends when it says so, whatever was drawn
			drawn, changed = nil, nil
		}
		select {
		case <-drawn:
			return nil
		case <-c.resumed:
			return nil
		case <-changed: // there is a new workload, or none: nobody waits for a hold of the old one
			return nil
		case <-ctx.Done():
			return nil
		case <-c.client.hold.asked():
			if err := c.takeHold(false); err != nil {
				return err
			}
		case <-lost:
			lost = nil
			if err := c.noticeLoss(); err != nil {
				return err
			}
			if c.mustStop() {
				return nil
			}
		}
	}
}
