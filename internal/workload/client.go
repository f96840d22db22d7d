package workload

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/monotime"
	"github.com/lockbench/lockbench/internal/stall"
)

// Run is the life of a client process: it obeys the commands on in and reports on out until Quit or the end
// of in. It asks source for the driver that it is told to open.
func Run(ctx context.Context, in io.Reader, out io.Writer, source drivers.Source) error {
	c := &client{source: source, out: json.NewEncoder(out), opening: make(chan struct{}, maxOpening)}
	err := c.run(ctx, in)
	if err != nil {
		err = errors.Join(err, c.emit(Event{Failed: &Failed{Error: err.Error()}}))
	}
	return err
}

type client struct {
	source  drivers.Source
	open    Open
	driver  drivers.Driver
	clock   monotime.Clock
	workers []*worker
	opening chan struct{} // holds a token for each worker that opens a session
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

func (c *client) run(ctx context.Context, in io.Reader) error {
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
				if err := c.start(ctx, *cmd.Open); err != nil {
					return err
				}
				running.Go(func() {
					if err := c.meterStalls(ctx); err != nil {
						cancel(err)
					}
				})
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
	lines.Buffer(nil, 1<<20) // a workload names all locks
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

func (c *client) start(ctx context.Context, o Open) error {
	if o.Version != ProtocolVersion {
		return fmt.Errorf("the coordinator speaks protocol %d, this client %d", o.Version, ProtocolVersion)
	}
	if c.workers != nil {
		return errors.New("opened twice")
	}
	var err error
	if c.driver, err = c.source.Find(ctx, o.Driver); err != nil {
		return err
	}
	if o.InTransaction && c.driver.Ledger == nil {
		return fmt.Errorf("the lock of driver %s does not live in a transaction", o.Driver)
	}
	if c.clock, err = monotime.New(); err != nil {
		return err
	}
	c.open = o
	for i := range o.Workers {
		w, err := newWorker(c, i)
		if err != nil {
			return err
		}
		c.workers = append(c.workers, w)
	}
	return nil
}

// meterStalls records when the machine did not run this process, in a stream of its own, until ctx ends.
func (c *client) meterStalls(ctx context.Context) error {
	lines, err := recorder.Create(filepath.Join(c.open.Dir, fmt.Sprintf("stalls-%s.%d.stream", c.open.Client, c.open.Life)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	about := &history.Fault{Hosts: []string{c.open.Client}}
	stall.Meter{Clock: c.clock, Stalled: func(end int64, lasted time.Duration) {
		op := history.Op{
			Time: end, Client: "nemesis", Process: history.NemesisProcess, Type: history.OK, F: history.Stalled,
			Fault: about, Lasted: int64(lasted),
		}
		if err := lines.Append(&op); err != nil {
			cancel(err)
		}
	}}.Run(ctx)
	if failed := context.Cause(ctx); !errors.Is(failed, context.Canceled) {
		err = failed
	}
	return errors.Join(err, lines.Close())
}

func (c *client) obey(ctx context.Context, cmd Command) error {
	if c.workers == nil {
		return errors.New("the first command must be open")
	}
	switch {
	case cmd.Work != nil:
		if least := cmd.Work.leastLocks(); len(cmd.Work.Locks) < least {
			return fmt.Errorf("a workload of %d locks needs at least %d", len(cmd.Work.Locks), least)
		}
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
