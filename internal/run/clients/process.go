package clients

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/workload"
)

// process is the coordinator's end of one life of a client.
type process struct {
	name     string
	child    provision.Process
	commands io.WriteCloser
	events   chan workload.Event
	read     chan error  // why the client's events ended
	broken   atomic.Bool // it was reported already that the client is of no use any more
}

// start starts the program itself again as a client and opens it.
func start(a provision.Host, dir, log string, open workload.Open) (*process, error) {
	self, err := a.Self()
	if err != nil {
		return nil, err
	}
	p, err := a.Start(provision.Command{
		Name: "client " + open.Client, Path: self, Args: []string{workload.Subcommand},
		Dir: dir, Log: log, Talk: true,
	})
	if err != nil {
		return nil, err
	}
	c := &process{
		name: open.Client, child: p, commands: p.Talk().Input,
		// A client never has more events under way than answers it owes.
		events: make(chan workload.Event, 16), read: make(chan error, 1),
	}
	go c.readEvents(p.Talk().Output)
	return c, c.send(workload.Command{Open: &open})
}

func (c *process) readEvents(events io.ReadCloser) {
	lines := bufio.NewScanner(events)
	for lines.Scan() {
		var e workload.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			c.read <- fmt.Errorf("client %s said %.80q, which is no event: %w", c.name, lines.Bytes(), err)
			break
		}
		c.events <- e
	}
	close(c.events)
	_ = events.Close() // read to its end
}

func (c *process) send(cmd workload.Command) error {
	line, err := json.Marshal(cmd)
	if err != nil {
		return fmt.Errorf("encode a command: %w", err)
	}
	if _, err := c.commands.Write(append(line, '\n')); err != nil {
		c.broken.Store(true)
		return fmt.Errorf("command client %s: %w", c.name, errors.Join(err, c.child.Err()))
	}
	return nil
}

// await returns the first event that is wanted; others that come before it are stale answers. It fails when the
// client does, or when ctx ends.
func (c *process) await(ctx context.Context, wanted func(workload.Event) bool) (workload.Event, error) {
	for {
		select {
		case e, ok := <-c.events:
			if !ok {
				c.broken.Store(true)
				return e, c.ended()
			}
			if e.Failed != nil {
				c.broken.Store(true)
				return e, fmt.Errorf("client %s failed: %s", c.name, e.Failed.Error)
			}
			if wanted(e) {
				return e, nil
			}
		case <-ctx.Done():
			return workload.Event{}, context.Cause(ctx)
		}
	}
}

// ready waits until the client can be told to work.
func (c *process) ready(ctx context.Context) error {
	_, err := c.await(ctx, func(e workload.Event) bool { return e.Ready != nil })
	return err
}

// kill ends the client at once.
func (c *process) kill() error {
	err := errors.Join(c.child.Kill(), c.commands.Close())
	for range c.events { // closed at the end of what it had to say
	}
	return err
}

func (c *process) ended() error {
	select {
	case err := <-c.read:
		return err
	case <-c.child.Exited():
		return fmt.Errorf("client %s is gone: %w", c.name, errors.Join(errors.New("it closed its output"), c.child.Err()))
	}
}

// finish makes the client come to rest and end, and ends it if it does not. Of a client that is broken already there
// is nothing more to say.
func (c *process) finish(ctx context.Context, grace time.Duration) error {
	if c.broken.Load() {
		return c.kill()
	}
	rest, cancel := patience(ctx, grace, fmt.Errorf("client %s does not come to rest", c.name))
	defer cancel()
	if ctx.Err() != nil { // an interrupted run does not wait for the cycles in progress
		return c.quit(ctx, grace)
	}
	err := c.send(workload.Command{Rest: &struct{}{}})
	if err == nil {
		_, err = c.await(rest, func(e workload.Event) bool { return e.Resting != nil })
	}
	return errors.Join(err, c.quit(ctx, grace))
}

// hurry is how long a client is waited for once the run is interrupted.
const hurry = 750 * time.Millisecond

// patience ends after grace, or soon after ctx has ended. why is its cause.
func patience(ctx context.Context, grace time.Duration, why error) (context.Context, context.CancelFunc) {
	waiting, cancel := context.WithTimeoutCause(context.Background(), grace, why)
	waiting, hurried := context.WithCancelCause(waiting)
	forget := context.AfterFunc(ctx, func() { time.AfterFunc(hurry, func() { hurried(why) }) })
	return waiting, func() {
		forget()
		hurried(nil)
		cancel()
	}
}

// quit asks the client to end, and ends it if it does not.
func (c *process) quit(ctx context.Context, grace time.Duration) error {
	err := c.send(workload.Command{Quit: &struct{}{}})
	end, cancel := patience(ctx, grace, nil)
	defer cancel()
	for done := false; !done; {
		select {
		case _, ok := <-c.events: // keep the pipe empty, or the client could block on it
			done = !ok
		case <-end.Done():
			done = true
		}
	}
	select {
	case <-c.child.Exited():
	default:
		err = errors.Join(err, c.child.Stop(time.Second))
	}
	return errors.Join(err, c.commands.Close())
}
