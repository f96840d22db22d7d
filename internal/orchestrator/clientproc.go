package orchestrator

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/client"
)

// clientProcess is the coordinator's end of one client.
type clientProcess struct {
	name     string
	process  *agent.Process
	commands *os.File
	events   chan client.Event
	read     chan error  // why the client's events ended
	broken   atomic.Bool // it was reported already that the client is of no use any more
}

// startClient starts the program again as a client and opens it.
func startClient(a agent.Agent, dir, log string, open client.Open) (*clientProcess, error) {
	self, err := agent.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program to run as client: %w", err)
	}
	stdin, commands, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe to client %s: %w", open.Client, err)
	}
	events, stdout, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a pipe from client %s: %w", open.Client, err), stdin.Close(), commands.Close())
	}
	p, err := a.Start(agent.Command{
		Name: "client " + open.Client, Path: self, Args: []string{client.Subcommand},
		Dir: dir, Log: log, Stdin: stdin, Stdout: stdout,
	})
	err = errors.Join(err, stdin.Close(), stdout.Close()) // the child keeps its own
	if err != nil {
		return nil, errors.Join(err, commands.Close(), events.Close())
	}
	c := &clientProcess{
		name: open.Client, process: p, commands: commands,
		// A client never has more events under way than answers it owes.
		events: make(chan client.Event, 16), read: make(chan error, 1),
	}
	go c.readEvents(events)
	return c, c.send(client.Command{Open: &open})
}

func (c *clientProcess) readEvents(events *os.File) {
	lines := bufio.NewScanner(events)
	for lines.Scan() {
		var e client.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			c.read <- fmt.Errorf("client %s said %.80q, which is no event: %w", c.name, lines.Bytes(), err)
			break
		}
		c.events <- e
	}
	close(c.events)
	_ = events.Close() // read to its end
}

func (c *clientProcess) send(cmd client.Command) error {
	line, err := json.Marshal(cmd)
	if err != nil {
		return fmt.Errorf("encode a command: %w", err)
	}
	if _, err := c.commands.Write(append(line, '\n')); err != nil {
		c.broken.Store(true)
		return fmt.Errorf("command client %s: %w", c.name, errors.Join(err, c.process.Err()))
	}
	return nil
}

// await returns the first event that is wanted; others that come before it are stale answers. It fails when the
// client does, or when ctx ends.
func (c *clientProcess) await(ctx context.Context, wanted func(client.Event) bool) (client.Event, error) {
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
			return client.Event{}, context.Cause(ctx)
		}
	}
}

// ready waits until the client can be told to work.
func (c *clientProcess) ready(ctx context.Context) error {
	_, err := c.await(ctx, func(e client.Event) bool { return e.Ready != nil })
	return err
}

// kill ends the client at once.
func (c *clientProcess) kill() error {
	err := errors.Join(c.process.KillFamily(), c.commands.Close())
	for range c.events { // closed at the end of what it had to say
	}
	return err
}

func (c *clientProcess) ended() error {
	select {
	case err := <-c.read:
		return err
	case <-c.process.Exited():
		return fmt.Errorf("client %s is gone: %w", c.name, errors.Join(errors.New("it closed its output"), c.process.Err()))
	}
}

// finish makes the client come to rest and end, and ends it if it does not. Of a client that is broken already there
// is nothing more to say.
func (c *clientProcess) finish(grace time.Duration) error {
	if c.broken.Load() {
		return c.kill()
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), grace, fmt.Errorf("client %s does not come to rest", c.name))
	defer cancel()
	err := c.send(client.Command{Rest: &struct{}{}})
	if err == nil {
		_, err = c.await(ctx, func(e client.Event) bool { return e.Resting != nil })
	}
	return errors.Join(err, c.quit(grace))
}

// quit asks the client to end, and ends it if it does not.
func (c *clientProcess) quit(grace time.Duration) error {
	err := c.send(client.Command{Quit: &struct{}{}})
	t := time.NewTimer(grace)
	defer t.Stop()
	for done := false; !done; {
		select {
		case _, ok := <-c.events: // keep the pipe empty, or the client could block on it
			done = !ok
		case <-t.C:
			done = true
		}
	}
	select {
	case <-c.process.Exited():
	default:
		err = errors.Join(err, c.process.Stop(syscall.SIGTERM, time.Second))
	}
	return errors.Join(err, c.commands.Close())
}
