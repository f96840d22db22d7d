package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/lockbench/lockbench/internal/clockskew"
)

// Local is the host that this program runs on.
type Local struct {
	scratch string
	network *network
	janitor *janitor
	starts  chan func()
	clocks  func() error // asks once whether clocks can be moved

	mu     sync.Mutex
	hosts  int
	live   map[*Process]struct{}
	closed bool
}

// NewLocal makes the run's scratch directory and starts the janitor that removes it, and every process in
// it, should this process die.
func NewLocal() (*Local, error) {
	scratch, err := os.MkdirTemp("", "lockbench-")
	if err != nil {
		return nil, fmt.Errorf("make the scratch directory: %w", err)
	}
	if scratch, err = filepath.EvalSymlinks(scratch); err != nil {
		return nil, fmt.Errorf("resolve the scratch directory: %w", err)
	}
	// Servers may run as another user, who must be able to reach a directory of their own below it.
	if err := os.Chmod(scratch, 0o711); err != nil {
		return nil, errors.Join(fmt.Errorf("open the scratch directory to servers: %w", err), os.RemoveAll(scratch))
	}
	network, err := claimNetwork()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(scratch))
	}
	l := &Local{
		scratch: scratch,
		network: network,
		starts:  make(chan func()),
		live:    map[*Process]struct{}{},
		clocks:  sync.OnceValue(clockskew.Probe),
	}
	go l.starter()
	if l.janitor, err = startJanitor(scratch, l.run); err != nil {
		close(l.starts)
		return nil, errors.Join(err, network.release(), os.RemoveAll(scratch))
	}
	return l, nil
}

// starter runs every fork on one thread that lives as long as the agent: the parent-death signal of a child
// fires when the thread that started it ends, not the process (https://go.dev/issue/27505).
func (l *Local) starter() {
	runtime.LockOSThread()
	for f := range l.starts {
		f()
	}
}

// run calls f on the starter's thread.
func (l *Local) run(f func() error) error {
	done := make(chan error, 1)
	l.starts <- func() { done <- f() }
	return <-done
}

// Scratch is the directory below which everything of the run that is not a result lives.
func (l *Local) Scratch() string { return l.scratch }

// Dir implements Agent.
func (l *Local) Dir(name string) (string, error) {
	dir := filepath.Join(l.scratch, name)
	if !strings.HasPrefix(dir, l.scratch+string(filepath.Separator)) {
		return "", fmt.Errorf("directory %q leaves the scratch directory", name)
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return "", fmt.Errorf("make the directory of %s: %w", name, err)
	}
	return dir, nil
}

// Host implements Agent.
func (l *Local) Host(name string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts++
	if l.hosts >= 250*250 {
		return "", fmt.Errorf("no loopback address left for %s", name)
	}
	return fmt.Sprintf("127.%d.%d.%d", l.network.octet, l.hosts/250, l.hosts%250+2), nil
}

// Address implements Agent.
func (l *Local) Address(name string) (string, error) {
	host, err := l.Host(name)
	if err != nil {
		return "", err
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", fmt.Errorf("find a free port for %s: %w", name, err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return "", fmt.Errorf("find a free port for %s: %w", name, err)
	}
	return addr, nil
}

// Start implements Agent.
func (l *Local) Start(c Command) (*Process, error) {
	if c.Dir != l.scratch && !strings.HasPrefix(c.Dir, l.scratch+string(filepath.Separator)) {
		return nil, fmt.Errorf("start %s: its directory %q lies outside the scratch directory", c.Name, c.Dir)
	}
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", c.Name, err)
	}
	defer log.Close() // the child keeps its own
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir, cmd.Env = c.Dir, append(os.Environ(), c.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	if c.Stdin != nil {
		cmd.Stdin = c.Stdin
	}
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if c.User != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: c.User.UID, Gid: c.User.GID}
	}

	l.mu.Lock()
	defer l.mu.Unlock() // Close must see every process that was started
	if l.closed {
		return nil, fmt.Errorf("start %s: the run is ending", c.Name)
	}
	if err := l.run(cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Process{name: c.Name, log: c.Log, cmd: cmd, exited: make(chan struct{})}
	l.live[p] = struct{}{}
	go p.wait(func() {
		l.mu.Lock()
		delete(l.live, p)
		l.mu.Unlock()
	})
	return p, nil
}

// Close implements Agent.
func (l *Local) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	live := make([]*Process, 0, len(l.live))
	for p := range l.live {
		live = append(live, p)
	}
	l.mu.Unlock()
	var errs []error
	for _, p := range live {
		errs = append(errs, p.Kill())
	}
	// Grandchildren (PostgreSQL's backends lead sessions of their own) are found as the janitor finds them.
	errs = append(errs, sweep(l.scratch), l.janitor.close(), l.network.release())
	close(l.starts)
	return errors.Join(errs...)
}
