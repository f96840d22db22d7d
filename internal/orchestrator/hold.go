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

// hold makes a grant of one of the clients last, of the first that has one; nil: none was granted any within the bound.
// Of a single client only a grant counts that it asks for from now on.
// stop, if it is not empty, is the point at which the client stops itself; it stands still then.
func (t *test) hold(ctx context.Context, hosts []*clientHost, stop string) (*hold, error) {
	t.holds++
	id := t.holds
	bounded, cancel := context.WithTimeout(ctx, t.bound())
	defer cancel()
	type answer struct {
		*hold
		err error
	}
	answers := make(chan answer, len(hosts))
	for _, h := range hosts {
		go func() {
			held, err := t.askToHold(bounded, h, client.Hold{ID: id, Stop: stop, InUse: len(hosts) > 1})
			answers <- answer{held, err}
		}()
	}
	var first *hold
	var errs []error
	for range hosts {
		a := <-answers
		if a.hold != nil && first == nil {
			first = a.hold
			cancel() // the others
		}
		errs = append(errs, a.err)
	}
	if first == nil {
		return nil, errors.Join(append(errs, context.Cause(ctx))...)
	}
	if stop != "" {
		if err := awaitStop(ctx, first.life); err != nil {
			return nil, errors.Join(append(errs, err)...)
		}
	}
	first.began, first.from = time.Now(), t.grantsSeen()
	t.setHolder(first.host.name)
	return first, errors.Join(errs...)
}

// askToHold waits until the client holds; nil: ctx ended before, and the wish was taken back.
func (t *test) askToHold(ctx context.Context, h *clientHost, wish client.Hold) (*hold, error) {
	c := h.alive()
	if c == nil {
		return nil, nil // killed a moment ago
	}
	if err := c.send(client.Command{Hold: &wish}); err != nil {
		return nil, err
	}
	e, err := c.await(ctx, func(e client.Event) bool { return e.Holding != nil && e.Holding.ID == wish.ID })
	switch {
	case err == nil:
		return &hold{Holding: *e.Holding, test: t, host: h, life: c}, nil
	case ctx.Err() != nil:
		return nil, c.send(client.Command{Resume: &struct{}{}})
	default:
		return nil, err
	}
}

// awaitStop waits until the client stands still. Of that the coordinator gets no event: its child's own threads do.
func awaitStop(ctx context.Context, c *clientProcess) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stopTimeout, fmt.Errorf("it still runs after %v", stopTimeout))
	defer cancel()
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

// stopTimeout bounds the time from a client's last word to its standing still.
const stopTimeout = 10 * time.Second
