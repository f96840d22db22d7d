package clients

import (
	"context"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/internal/workload"
)

// stopTimeout bounds the time from a client's last word to its standing still.
const stopTimeout = 10 * time.Second

// Held is a grant that lasts until it is told to end, or that ends with the client's life.
type Held struct {
	workload.Holding
	client *Client
	life   *process // the one that holds
}

// Hold asks the client to keep its next grant and waits until it has one. It returns nil if the client is dead, or if
// ctx ended first: the wish is taken back then.
func (c *Client) Hold(ctx context.Context, wish workload.Hold) (*Held, error) {
	p := c.alive()
	if p == nil {
		return nil, nil // killed a moment ago
	}
	c.mayStop(wish.Stop != "")
	if err := p.send(workload.Command{Hold: &wish}); err != nil {
		return nil, err
	}
	e, err := p.await(ctx, func(e workload.Event) bool { return e.Holding != nil && e.Holding.ID == wish.ID })
	switch {
	case err == nil:
		return &Held{Holding: *e.Holding, client: c, life: p}, nil
	case ctx.Err() != nil:
		return nil, p.send(workload.Command{Resume: &struct{}{}})
	default:
		return nil, err
	}
}

// Grant says which grant is held.
func (h *Held) Grant() workload.Holding { return h.Holding }

// Client is the name of the client that holds.
func (h *Held) Client() string { return h.client.name }

// StandsStill reports whether the client can do nothing now.
func (h *Held) StandsStill() bool { return h.client.StandsStill() }

// AwaitStop waits until a client that was told to stop itself stands still. The coordinator gets no event of that,
// because the threads of its child stop, not the child.
func (h *Held) AwaitStop(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stopTimeout, fmt.Errorf("it still runs after %v", stopTimeout))
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !h.life.child.Suspended() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("client %s does not stop where it was told to: %w", h.client.name, context.Cause(ctx))
		}
	}
	return nil
}

// End lets the client go on and waits, no longer than the bound, until it has written or given up. A client that was
// killed holds no longer. One that another fault has suspended goes on later, and is not waited for.
func (h *Held) End(ctx context.Context, bound time.Duration) error {
	h.client.mayStop(false)
	if h.client.alive() != h.life {
		return nil
	}
	err := h.life.send(workload.Command{Resume: &struct{}{}})
	if err == nil && !h.StandsStill() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), bound, fmt.Errorf("client %s does not end its hold", h.client.name))
		defer cancel()
		_, err = h.life.await(ctx, func(e workload.Event) bool { return e.Held != nil && e.Held.ID == h.ID })
	}
	if h.client.alive() != h.life || h.StandsStill() { // meanwhile
		return nil
	}
	return err
}
