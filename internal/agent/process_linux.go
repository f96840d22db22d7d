package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a running child.
type Process struct {
	name, log string
	cmd       *exec.Cmd
	exited    chan struct{}
	mu        sync.Mutex
	err       error
}

// PID is the process's number, which is also that of its process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed once the process has ended and been reaped.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Err is why the process ended, with its last log lines; nil if it ended with status 0 or still runs.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return nil
	}
	if tail := p.LogTail(8); tail != "" {
		return fmt.Errorf("%s ended: %w; its last log lines (%s):\n%s", p.name, p.err, p.log, tail)
	}
	return fmt.Errorf("%s ended: %w; its log is empty (%s)", p.name, p.err, p.log)
}

// Signal sends a signal to the process alone.
func (p *Process) Signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("send %v to %s (pid %d): %w", s, p.name, p.PID(), err)
	}
	return nil
}

// SignalGroup sends a signal to the whole process group. A group that is gone is no error.
func (p *Process) SignalGroup(s syscall.Signal) error {
	select {
	case <-p.exited: // the number may belong to somebody else by now
		return nil
	default:
	}
	if err := syscall.Kill(-p.PID(), s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to the group of %s (pid %d): %w", s, p.name, p.PID(), err)
	}
	return nil
}

// Stop asks the process to end with sig, and kills its group if it has not after grace. It waits for the end.
func (p *Process) Stop(sig syscall.Signal, grace time.Duration) error {
	if err := p.SignalGroup(syscall.SIGCONT); err != nil {
		return err
	}
	if err := p.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-p.exited:
		return nil
	case <-t.C:
	}
	return p.Kill()
}

// Kill ends the whole group with SIGKILL and waits for the end of the process.
func (p *Process) Kill() error {
	if err := p.SignalGroup(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// LogTail returns the last n lines of the process's log, or what of them can be read.
func (p *Process) LogTail(n int) string {
	f, err := os.Open(p.log)
	if err != nil {
		return ""
	}
	defer f.Close()
	const window = 16 << 10
	if st, err := f.Stat(); err == nil && st.Size() > window {
		if _, err := f.Seek(-window, io.SeekEnd); err != nil {
			return ""
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, window))
	if err != nil {
		return ""
	}
	lines := strings.Split(string(bytes.TrimSpace(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func (p *Process) wait(done func()) {
	err := p.cmd.Wait()
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
	close(p.exited)
	done()
}
