package nemesis

import (
	"context"
	"errors"

	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/run/clients"
	"github.com/lockbench/lockbench/internal/workload"
)

// hold is a grant that lasts until it is told to end, or until its client has stopped itself.
type hold struct {
	*clients.Held
	watch Watch
	from  int    // how many grants the resource had seen when it began
	ended func() // nil: it has
}

// makeHolder makes a grant of one of the clients last, of the first that has one; nil: none was granted any within
// the bound. If there is one client, only grants it asks for from now on count. stop, if it is not empty, is the
// point at which the client stops itself; it stands still then.
func (n *Nemesis) makeHolder(ctx context.Context, hosts []*clients.Client, stop string) (*hold, error) {
	n.holds++
	id := n.holds
	bounded, cancel := context.WithTimeout(ctx, n.cfg.Watch.Bound())
	defer cancel()
	type answer struct {
		*clients.Held
		err error
	}
	answers := make(chan answer, len(hosts))
	for _, h := range hosts {
		go func() {
			held, err := h.Hold(bounded, workload.Hold{ID: id, Stop: stop, InUse: len(hosts) > 1})
			answers <- answer{held, err}
		}()
	}
	var first *clients.Held
	var errs []error
	for range hosts {
		a := <-answers
		if a.Held != nil && first == nil {
			first = a.Held
			cancel() // the others
		}
		errs = append(errs, a.err)
	}
	if first == nil {
		return nil, errors.Join(append(errs, context.Cause(ctx))...)
	}
	if stop != "" {
		if err := first.AwaitStop(ctx); err != nil {
			return nil, errors.Join(append(errs, err)...)
		}
	}
	n.setHolder(first.Client())
	return &hold{Held: first, watch: n.cfg.Watch, ended: func() { n.setHolder("") }, from: n.cfg.Watch.GrantsSeen()}, errors.Join(errs...)
}

// rival waits until a request of another grant of the held lock has reached the resource, or the bound has passed.
func (h *hold) rival(ctx context.Context) (came bool, err error) {
	return h.watch.AwaitGrants(ctx, h.from, 1, func(g resource.GrantSeen) bool {
		return g.Lock == h.Lock && g.Process != h.Process
	})
}

// end lets the holder go on and waits until it has written, or given up.
func (h *hold) end(ctx context.Context) error {
	if h.ended == nil {
		return nil
	}
	h.ended()
	h.ended = nil
	return h.End(ctx, h.watch.Bound())
}
