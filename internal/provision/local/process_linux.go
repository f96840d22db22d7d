package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/lockbench/lockbench/internal/provision"
)

// process is a child. It implements provision.Process; its number is also that of its process group.
type process struct {
	host    *Host
	command provision.Command
	cmd     *exec.Cmd
	talk    *provision.Talk
	logged  int64 // the length of the log before the process wrote to it
	exited  chan struct{}
	stops   chan struct{}
	mu      sync.Mutex
	err     error
}

func (h *Host) start(c provision.Command) (*process, error) {
	if err := h.below(c.Dir); err != nil {
		return nil, fmt.Errorf("its directory %w", err)
	}
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open its log: %w", err)
	}
	defer log.Close() // the child keeps its own
	before, err := log.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at its log: %w", err)
	}
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir, cmd.Env = c.Dir, environment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if c.User != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: c.User.UID, Gid: c.User.GID}
	}
	p := &process{host: h, command: c, cmd: cmd, logged: before.Size(), exited: make(chan struct{}), stops: make(chan struct{}, 1)}
	start := cmd.Start
	if c.Talk {
		start = p.startTalking
	}

	h.mu.Lock()
	defer h.mu.Unlock() // Close must see every process that was started
	if h.closed {
		return nil, errors.New("the run is ending")
	}
	if err := h.run(start); err != nil {
		return nil, err
	}
	h.live[p] = struct{}{}
	go p.watchStops()
	go p.wait(func() {
		h.mu.Lock()
		delete(h.live, p)
		h.mu.Unlock()
	})
	return p, nil
}

// startTalking starts the process with pipes for standard input and output. They are not exec.Cmd's, which closes
// the output when the process ends, whether or not it was read.
func (p *process) startTalking() error {
	stdin, input, err := os.Pipe()
	if err != nil {
		return err
	}
	defer stdin.Close() // the child keeps its own
	output, stdout, err := os.Pipe()
	if err != nil {
		return errors.Join(err, input.Close())
	}
	defer stdout.Close()
	p.cmd.Stdin, p.cmd.Stdout = stdin, stdout
	p.talk = &provision.Talk{Input: input, Output: output}
	if err := p.cmd.Start(); err != nil {
		return errors.Join(err, input.Close(), output.Close())
	}
	return nil
}

// Talk implements provision.Process.
func (p *process) Talk() *provision.Talk { return p.talk }

// PID implements provision.Process.
func (p *process) PID() int { return p.cmd.Process.Pid }

// Exited implements provision.Process.
func (p *process) Exited() <-chan struct{} { return p.exited }

// Err implements provision.Process.
func (p *process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return nil
	}
	if tail := p.LogTail(8); tail != "" {
		return fmt.Errorf("%s ended: %w; its last log lines (%s):\n%s", p.command.Name, p.err, p.command.Log, tail)
	}
	return fmt.Errorf("%s ended: %w; its log is empty (%s)", p.command.Name, p.err, p.command.Log)
}

// signalGroup sends a signal to the process's group. A group that is gone is no error.
func (p *process) signalGroup(s syscall.Signal) error {
	select {
	case <-p.exited: // the number may belong to somebody else by now
		return nil
	default:
	}
	if err := syscall.Kill(-p.PID(), s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to the group of %s (pid %d): %w", s, p.command.Name, p.PID(), err)
	}
	return nil
}

// Stop implements provision.Process.
func (p *process) Stop(grace time.Duration) error {
	if err := p.signalGroup(syscall.SIGCONT); err != nil {
		return err
	}
	s := syscall.SIGTERM
	if p.command.Interrupt {
		s = syscall.SIGINT
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v to %s (pid %d): %w", s, p.command.Name, p.PID(), err)
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-p.exited:
		return nil
	case <-t.C:
	}
	p.noteShared()
	return p.killGroup()
}

// noteShared notes the shared memory of the process's family, which is about to be killed, for Close.
func (p *process) noteShared() {
	family, _ := p.family() // it may have ended
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	for _, m := range family {
		p.host.shared.stopAndAdd(m.PID)
	}
}

// killGroup ends the process's group with SIGKILL and waits for the end of the process.
func (p *process) killGroup() error {
	if err := p.signalGroup(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// LogTail implements provision.Process.
func (p *process) LogTail(n int) string {
	log, err := readTail(p.command.Log, p.logged)
	if err != nil {
		return ""
	}
	return tail(log, n)
}

func (p *process) wait(done func()) {
	err := p.cmd.Wait()
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
	close(p.exited)
	done()
}
