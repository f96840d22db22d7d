//go:build !linux

package agent

import (
	"io"
	"syscall"
	"time"
)

// JanitorCommand is the hidden subcommand under which the program runs as a janitor.
const JanitorCommand = "internal-janitor"

// Process is a running child; there are none on this platform.
type Process struct{}

// PID implements nothing on this platform.
func (*Process) PID() int { return 0 }

// Exited implements nothing on this platform.
func (*Process) Exited() <-chan struct{} { return nil }

// Err implements nothing on this platform.
func (*Process) Err() error { return ErrUnsupported }

// Signal implements nothing on this platform.
func (*Process) Signal(syscall.Signal) error { return ErrUnsupported }

// SignalGroup implements nothing on this platform.
func (*Process) SignalGroup(syscall.Signal) error { return ErrUnsupported }

// Stop implements nothing on this platform.
func (*Process) Stop(syscall.Signal, time.Duration) error { return ErrUnsupported }

// Kill implements nothing on this platform.
func (*Process) Kill() error { return ErrUnsupported }

// LogTail implements nothing on this platform.
func (*Process) LogTail(int) string { return "" }

// NewLocal reports that this platform cannot run servers.
func NewLocal() (Agent, error) { return nil, ErrUnsupported }

// RunJanitor reports that this platform cannot run servers.
func RunJanitor(io.Reader, string) error { return ErrUnsupported }

// Suspend implements nothing on this platform.
func (*Process) Suspend() error { return ErrUnsupported }

// Continue implements nothing on this platform.
func (*Process) Continue() error { return ErrUnsupported }

// KillFamily implements nothing on this platform.
func (*Process) KillFamily() error { return ErrUnsupported }

// SkewClock implements nothing on this platform.
func (*Process) SkewClock(time.Duration) error { return ErrUnsupported }

// Suspended implements nothing on this platform.
func (*Process) Suspended() bool { return false }
