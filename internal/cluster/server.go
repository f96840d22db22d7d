package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/lockbench/lockbench/internal/agent"
)

// Server is the process of a node, whichever that is by now: it may be killed and started again. It has the methods of
// a process that faults act on. Safe for concurrent use, but what is done to one server is done by one caller at a time.
type Server interface {
	// PID is the number of the process; Exited is closed once it has ended and been reaped.
	PID() int
	Exited() <-chan struct{}
	// Suspend stops the server and all its children, and returns once they stand still; Continue lets them go on.
	Suspend() error
	Continue() error
	// Kill ends the server and all its children with SIGKILL, and returns once they are gone.
	Kill() error
	// Start starts a server that was killed, at the same addresses and with what is in its data directory, and returns
	// once it serves. A server that answers, but has no quorum for quorumPatience, has started, too: its peers may be
	// down or cut off. After an error nothing runs.
	Start(ctx context.Context) error
	// SkewClock makes the wall clock of the server and all its children show the true time plus offset, now and after
	// every start; 0 undoes it.
	SkewClock(offset time.Duration) error
}

const (
	// restartPatience bounds a start after a kill.
	restartPatience = 30 * time.Second
	// quorumPatience is how long a server that answers is given to find a quorum: several elections.
	quorumPatience = 3 * time.Second
	// stopGrace is how long a server may take to end before it is killed. Its data is thrown away.
	stopGrace = 2 * time.Second
)

// server is what the servers of all backends have in common.
type server struct {
	agent agent.Agent
	// command says what to start; its Name is also that of errors.
	command agent.Command
	// serves returns nil if the server serves.
	serves func(context.Context) error
	// answers returns nil if the server does what it can without a quorum; nil: it needs none.
	answers func(context.Context) error

	mu      sync.Mutex
	process *agent.Process // nil: it was never started
	skew    time.Duration  // of its wall clock
	stopped bool
}

// current is the process of the last start; nil: there was none.
func (s *server) current() *agent.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

// PID implements Server.
func (s *server) PID() int { return s.current().PID() }

// Exited implements Server.
func (s *server) Exited() <-chan struct{} { return s.current().Exited() }

// Suspend implements Server.
func (s *server) Suspend() error {
	p := s.current()
	if err := p.Suspend(); err != nil {
		return errors.Join(err, p.Continue()) // what has stopped already
	}
	return nil
}

// Continue implements Server.
func (s *server) Continue() error { return s.current().Continue() }

// Kill implements Server.
func (s *server) Kill() error {
	p := s.current()
	// What stands still makes no child that could get away, and would write to the data of its successor. What does
	// not can still be killed.
	_ = p.Suspend()
	if err := p.KillFamily(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Start implements Server.
func (s *server) Start(ctx context.Context) error {
	p, err := s.launch()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, restartPatience)
	defer cancel()
	var answered time.Time // since when
	err = WaitReady(ctx, s.command.Name, p, func(attempt context.Context) error {
		err := s.serves(attempt)
		if err == nil || s.answers == nil {
			return err
		}
		alone, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		switch failed := s.answers(alone); {
		case failed != nil:
			answered = time.Time{}
		case answered.IsZero():
			answered = time.Now()
		case time.Since(answered) > quorumPatience:
			return nil
		}
		return err
	})
	if err != nil {
		return errors.Join(err, s.Kill())
	}
	return nil
}

// SkewClock implements Server.
func (s *server) SkewClock(offset time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = offset
	if err := s.process.SkewClock(offset); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// launch starts the process, unless it runs or the cluster was stopped, and does not wait for anything. Its clock is moved
// before it has come far: a program begins with the true time.
func (s *server) launch() (*agent.Process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, fmt.Errorf("start %s: its cluster was stopped", s.command.Name)
	}
	if s.process != nil {
		select {
		case <-s.process.Exited():
		default:
			return nil, fmt.Errorf("start %s: it runs (pid %d)", s.command.Name, s.process.PID())
		}
	}
	p, err := s.agent.Start(s.command)
	if err != nil {
		return nil, err
	}
	s.process = p
	if s.skew != 0 {
		if err := p.SkewClock(s.skew); err != nil {
			return nil, errors.Join(err, p.KillFamily())
		}
	}
	return p, nil
}

// begin starts the process for the first time, and returns once it serves: with a quorum.
func (s *server) begin(ctx context.Context) error {
	p, err := s.launch()
	if err != nil {
		return err
	}
	return WaitReady(ctx, s.command.Name, p, s.serves)
}

// stop ends the server for good, also one that is suspended or that was just started again.
func (s *server) stop(sig syscall.Signal) error {
	s.mu.Lock()
	s.stopped = true
	p := s.process
	s.mu.Unlock()
	if p == nil {
		return nil
	}
	return errors.Join(p.Continue(), p.Stop(sig, stopGrace))
}

// emptyDir removes what is in the directory, but for the files of the given names.
func emptyDir(dir string, keep ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("remove a server's data: %w", err)
	}
	kept := map[string]bool{}
	for _, name := range keep {
		kept[name] = true
	}
	for _, e := range entries {
		if kept[e.Name()] {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("remove a server's data: %w", err)
		}
	}
	return nil
}

// wipeable returns nil if the server has ended: what still runs would go on with the files that it has open.
func (s *server) wipeable() error {
	select {
	case <-s.Exited():
		return nil
	default:
		return fmt.Errorf("remove the data of %s: it runs (pid %d)", s.command.Name, s.PID())
	}
}
