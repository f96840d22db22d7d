package servers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/internal/provision"
)

// Server is the current process of a node. It may be killed and started again. It has the methods of a process that
// faults act on. It is safe for concurrent use, but only one caller at a time may change a server.
type Server interface {
	// PID is the number of the process. Exited is closed once it has ended and been reaped.
	PID() int
	Exited() <-chan struct{}
	// Life is the process of the last start.
	Life() provision.Process
	// Suspend stops the server and all its children, and returns once they stand still; Continue lets them go on.
	Suspend() error
	Continue() error
	// Kill ends the server and all its children with SIGKILL, and returns once they are gone.
	Kill() error
	// Start starts a server that was killed, at the same addresses and with its data directory. It returns once the
	// server serves. It also returns if the server answers, but finds no quorum within quorumPatience: its peers may
	// be down or cut off. After an error nothing runs.
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
	host provision.Host
	// command says what to start; its Name is also that of errors.
	command provision.Command
	// serves returns nil if the server serves.
	serves func(context.Context) error
	// answers returns nil if the server does what it can without a quorum; nil: it needs none.
	answers func(context.Context) error

	mu      sync.Mutex
	process provision.Process // nil: it was never started
	skew    time.Duration     // of its wall clock
	stopped bool
}

// Life implements Server; nil: the server was never started.
func (s *server) Life() provision.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

// PID implements Server.
func (s *server) PID() int { return s.Life().PID() }

// Exited implements Server.
func (s *server) Exited() <-chan struct{} { return s.Life().Exited() }

// Suspend implements Server.
func (s *server) Suspend() error {
	p := s.Life()
	if err := p.Suspend(); err != nil {
		return errors.Join(err, p.Continue()) // what has stopped already
	}
	return nil
}

// Continue implements Server.
func (s *server) Continue() error { return s.Life().Continue() }

// Kill implements Server.
func (s *server) Kill() error {
	p := s.Life()
	// A suspended process starts no child that could escape and write to the data of its successor. If it cannot be
	// suspended, it can still be killed.
	_ = p.Suspend()
	if err := p.Kill(); !errors.Is(err, provision.ErrEnded) {
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
	if err := s.process.SkewClock(offset); !errors.Is(err, provision.ErrEnded) {
		return err
	}
	return nil
}

// launch starts the process, unless it runs or the cluster was stopped. It does not wait. A new program begins with
// the true time, so its clock is moved at once.
func (s *server) launch() (provision.Process, error) {
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
	p, err := s.host.Start(s.command)
	if err != nil {
		return nil, err
	}
	s.process = p
	if s.skew != 0 {
		if err := p.SkewClock(s.skew); err != nil {
			return nil, errors.Join(err, p.Kill())
		}
	}
	return p, nil
}

// begin starts the process for the first time. It returns once the process serves, with a quorum.
func (s *server) begin(ctx context.Context) error {
	p, err := s.launch()
	if err != nil {
		return err
	}
	return WaitReady(ctx, s.command.Name, p, s.serves)
}

// stop ends the server for good, also one that is suspended or that was just started again.
func (s *server) stop() error {
	s.mu.Lock()
	s.stopped = true
	p := s.process
	s.mu.Unlock()
	if p == nil {
		return nil
	}
	return errors.Join(p.Continue(), p.Stop(stopGrace))
}

// wipeable returns nil if the server has ended. A running server would go on with its open files.
func (s *server) wipeable() error {
	select {
	case <-s.Exited():
		return nil
	default:
		return fmt.Errorf("remove the data of %s: it runs (pid %d)", s.command.Name, s.PID())
	}
}
