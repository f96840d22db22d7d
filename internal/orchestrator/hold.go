package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/internal/client"
	"github.com/lockbench/lockbench/internal/resource"
)

// hold is a grant that lasts until it is told to end, or until its client has stopped itself.
type hold struct {
	client.Holding
	test  *test
	host  *clientHost
	life  *clientProcess // the one that holds
	began time.Time
	// from is how many grants the resource had seen when it began.
	from  int
	ended bool
}

// hold makes the next grant of the client last; nil: it was granted none within the bound. stop, if it is not empty,
// is the point at which the client stops itself; it stands still then.
func (t *test) hold(ctx context.Context, h *clientHost, stop string) (*hold, error) {
	c := h.alive()
	if c == nil {
		return nil, fmt.Errorf("client %s cannot hold the lock: it was killed", h.name)
	}
	t.holds++
	id := t.holds
	if err := c.send(client.Command{Hold: &client.Hold{ID: id, Stop: stop}}); err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, t.bound())
	defer cancel()
	e, err := c.await(bounded, func(e client.Event) bool { return e.Holding != nil && e.Holding.ID == id })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, c.send(client.Command{Resume: &struct{}{}})
	}
	if err != nil {
		return nil, err
	}
	if stop != "" {
		if err := awaitStop(bounded, c); err != nil {
			return nil, err
		}
	}
	t.setHolder(h.name)
	return &hold{Holding: *e.Holding, test: t, host: h, life: c, began: time.Now(), from: t.grantsSeen()}, nil
}

// awaitStop waits until the client stands still. Of that the coordinator gets no event: its child's own threads do.
func awaitStop(ctx context.Context, c *clientProcess) error {
	for !c.process.Suspended() {
		if err := sleep(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("client %s does not stop where it was told to: %w", c.name, err)
		}
	}
	return nil
}

// rival waits until a request of another grant of the held lock has reached the resource, or the bound has passed.
func (h *hold) rival(ctx context.Context) (came bool, err error) {
	return h.test.awaitGrants(ctx, h.from, 1, func(g resource.GrantSeen) bool {
		return g.Lock == h.Lock && g.Process != h.Process
	})
}

// end lets the holder go on and waits until it has written, or given up. One that was killed holds no longer, and one that
// stands still, for another fault has struck it, goes on later.
func (h *hold) end(ctx context.Context) error {
	if h.ended {
		return nil
	}
	h.ended = true
	h.test.setHolder("")
	if h.host.alive() != h.life {
		return nil
	}
	err := h.life.send(client.Command{Resume: &struct{}{}})
	if err == nil && !h.host.standsStill() {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), h.test.bound(), fmt.Errorf("client %s does not end its hold", h.host.name))
		defer cancel()
		_, err = h.life.await(ctx, func(e client.Event) bool { return e.Held != nil && e.Held.ID == h.ID })
	}
	if h.host.alive() != h.life || h.host.standsStill() { // meanwhile
		return nil
	}
	return err
}
