package local

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/lockbench/lockbench/faults/clocks"
	"github.com/lockbench/lockbench/internal/provision"
)

// Host is this machine, for one run. It implements provision.Host.
type Host struct {
	Programs
	scratch string
	janitor *janitor
	starts  chan func()
	clocks  func() error // asks once whether clocks can be moved

	mu      sync.Mutex
	network network
	live    map[*process]struct{}
	closed  bool
	shared  shared       // of processes that did not end when they were asked to
	trouble func(string) // nil: nobody hears of it
}

var _ provision.Host = (*Host)(nil)

// New makes the run's scratch directory and starts the janitor that removes it, and every process in it, if this
// process dies.
func New() (*Host, error) {
	scratch, err := os.MkdirTemp("", "lockbench-")
	if err != nil {
		return nil, fmt.Errorf("make the scratch directory (choose another place with TMPDIR): %w", err)
	}
	// TMPDIR may be relative and may be a link. The janitor and the servers work elsewhere, and processes are known by
	// the path that the kernel tells.
	if scratch, err = filepath.Abs(scratch); err == nil {
		scratch, err = filepath.EvalSymlinks(scratch)
	}
	if err != nil {
		return nil, fmt.Errorf("resolve the scratch directory: %w", err)
	}
	// Servers may run as another user, who must be able to reach a directory of their own below it. Nobody else can list
	// it or write to it.
	if err := os.Chmod(scratch, 0o711); err != nil {
		return nil, errors.Join(fmt.Errorf("open the scratch directory to servers: %w", err), os.RemoveAll(scratch))
	}
	h := &Host{
		scratch: scratch,
		network: newNetwork(),
		starts:  make(chan func()),
		live:    map[*process]struct{}{},
		shared:  newShared(),
		clocks:  sync.OnceValue(clocks.Probe),
	}
	go h.starter()
	if h.janitor, err = startJanitor(scratch, h.run, h.tell); err != nil {
		close(h.starts)
		return nil, errors.Join(err, os.RemoveAll(scratch))
	}
	return h, nil
}

// OnTrouble implements provision.Host.
func (h *Host) OnTrouble(tell func(string)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trouble = tell
}

func (h *Host) tell(text string) {
	h.mu.Lock()
	tell := h.trouble
	h.mu.Unlock()
	if tell != nil {
		tell(text)
	}
}

// starter runs every fork on one thread that lives as long as the host: the parent-death signal of a child is sent
// when the thread that started it ends, not the process (https://go.dev/issue/27505).
func (h *Host) starter() {
	runtime.LockOSThread()
	for f := range h.starts {
		f()
	}
}

// run calls f on the starter's thread.
func (h *Host) run(f func() error) error {
	done := make(chan error, 1)
	h.starts <- func() { done <- f() }
	return <-done
}

// Scratch is the directory below which everything of the run lives that is not a result.
func (h *Host) Scratch() string { return h.scratch }

// Self implements provision.Host.
func (h *Host) Self() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the program's own file: %w", err)
	}
	return path, nil
}

// Clocks implements provision.Host.
func (h *Host) Clocks() error { return h.clocks() }

// LinkIP implements provision.Network.
func (h *Host) LinkIP(name string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ip, err := h.network.ip()
	if err != nil {
		return "", fmt.Errorf("find an address for %s: %w", name, err)
	}
	return ip, nil
}

// Addresses implements provision.Network.
func (h *Host) Addresses(name string, n int) ([]string, error) {
	ip, err := h.LinkIP(name)
	if err != nil {
		return nil, err
	}
	addrs := make([]string, n)
	for i := range addrs {
		ln, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			return nil, fmt.Errorf("find a free port for %s: %w", name, err)
		}
		defer ln.Close() // after all are found, so that they differ
		addrs[i] = ln.Addr().String()
	}
	return addrs, nil
}

// Listen implements provision.Network.
func (h *Host) Listen(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }

// Start implements provision.Host.
func (h *Host) Start(c provision.Command) (provision.Process, error) {
	p, err := h.start(c)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	return p, nil
}

// below returns an error if path is not below the scratch directory.
func (h *Host) below(path string) error {
	if !strings.HasPrefix(filepath.Clean(path), h.scratch+string(filepath.Separator)) {
		return fmt.Errorf("%q lies outside the scratch directory", path)
	}
	return nil
}

// Close implements provision.Host.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	live := make([]*process, 0, len(h.live))
	for p := range h.live {
		live = append(live, p)
	}
	h.mu.Unlock()
	// Grandchildren (PostgreSQL's backends lead sessions of their own) are found as the janitor finds them. It looks at what
	// they share before it kills them.
	errs := []error{sweep(h.scratch)}
	for _, p := range live {
		errs = append(errs, p.killGroup())
	}
	errs = append(errs, h.shared.remove(), h.janitor.close())
	close(h.starts)
	return errors.Join(errs...)
}
