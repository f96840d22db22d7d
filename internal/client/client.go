package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/monotime"
)

// Run is the life of a client process: it obeys the commands on in and reports on out until Quit or the end
// of in. known are the drivers that it can open.
func Run(ctx context.Context, in io.Reader, out io.Writer, known []drivers.Driver) error {
	c := &client{out: json.NewEncoder(out)}
	err := c.run(ctx, in, known)
	if err != nil {
		err = errors.Join(err, c.emit(Event{Failed: &Failed{Error: err.Error()}}))
	}
	return err
}

type client struct {
	open    Open
	driver  drivers.Driver
	clock   monotime.Clock
	workers []*worker
	hold    holdRequest

	outMu sync.Mutex
	out   *json.Encoder
}

func (c *client) emit(e Event) error {
	c.outMu.Lock()
	defer c.outMu.Unlock()
	if err := c.out.Encode(e); err != nil {
		return fmt.Errorf("report to the coordinator: %w", err)
	}
	return nil
}

func (c *client) run(ctx context.Context, in io.Reader, known []drivers.Driver) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel(nil)

	commands := make(chan Command)
	ended := make(chan error, 1)
	go func() { ended <- read(ctx, in, commands) }() // ends with in, at the latest when the process does
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-ended:
			return err // the coordinator is gone: so are we
		case cmd := <-commands:
			if cmd.Quit != nil {
				return nil
			}
			if cmd.Open != nil {
				if err := c.start(*cmd.Open, known); err != nil {
					return err
				}
				for _, w := range c.workers {
					running.Go(func() {
						if err := w.run(ctx); err != nil {
							cancel(err)
						}
					})
				}
				if err := c.emit(Event{Ready: &struct{}{}}); err != nil {
					return err
				}
				continue
			}
			if err := c.obey(ctx, cmd); err != nil {
				return err
			}
		}
	}
}

func read(ctx context.Context, in io.Reader, commands chan<- Command) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var cmd Command
		if err := json.Unmarshal(lines.Bytes(), &cmd); err != nil {
			return fmt.Errorf("read a command %.80q: %w", lines.Bytes(), err)
		}
		select {
		case commands <- cmd:
		case <-ctx.Done():
			return nil
		}
	}
	return lines.Err()
}

func (c *client) start(o Open, known []drivers.Driver) error {
	if o.Version != ProtocolVersion {
		return fmt.Errorf("the coordinator speaks protocol %d, this client %d", o.Version, ProtocolVersion)
	}
	if c.workers != nil {
		return errors.New("opened twice")
	}
	found := false
	for _, d := range known {
		if d.Info.Name == o.Driver {
			c.driver, found = d, true
		}
	}
	if !found {
		return fmt.Errorf("unknown driver %q", o.Driver)
	}
	if o.InTransaction && c.driver.Ledger == nil {
		return fmt.Errorf("the lock of driver %s does not live in a transaction", o.Driver)
	}
	clock, err := monotime.New()
	if err != nil {
		return err
	}
	c.open, c.clock = o, clock
	for i := range o.Workers {
		w, err := newWorker(c, i)
		if err != nil {
			return err
		}
		c.workers = append(c.workers, w)
	}
	return nil
}

func (c *client) obey(ctx context.Context, cmd Command) error {
	if c.workers == nil {
		return errors.New("the first command must be open")
	}
	switch {
	case cmd.Work != nil:
		for i, w := range c.workers {
			w.assign(cmd.Work, i < cmd.Work.Active)
		}
	case cmd.Rest != nil:
		var idle sync.WaitGroup
		for _, w := range c.workers {
			idle.Go(func() { w.rest(ctx) })
		}
		go func() {
			idle.Wait()
			if ctx.Err() == nil {
				_ = c.emit(Event{Resting: &struct{}{}}) // if the coordinator is gone, read ends us
			}
		}()
	case cmd.Hold != nil:
		c.hold.request(*cmd.Hold)
	case cmd.Resume != nil:
		c.hold.resume()
	default:
		return errors.New("an empty or unknown command")
	}
	return nil
}
