// Package clocks shifts the wall clock that a running process and all its descendants read: CLOCK_REALTIME,
// CLOCK_REALTIME_COARSE, gettimeofday and time. CLOCK_MONOTONIC and every other clock stay true.
//
// Programs read these clocks without entering the kernel, in code that the kernel maps into every process (the vDSO).
// A small shim is written into the unused end of that mapping, and the functions' entries are made to jump to it. The
// target needs no preparation and is not restarted. Whoever may debug a process may skew it. A process may debug its
// own children without being root. Where Yama's ptrace_scope is 1, it may debug only them.
//
// These do not see the skew: direct system calls, absolute waits inside the kernel (pthread_cond_timedwait,
// timer_settime with TIMER_ABSTIME), and files' times. A process that calls exec loses it: set the offset again.
//
// It works on linux/amd64. Calls for one family of processes must not overlap with each other, or with calls that
// stop or continue it.
package clocks

import (
	"errors"
	"time"
)

// ErrUnsupported says that this system cannot skew clocks at all. The error that wraps it gives the reason.
var ErrUnsupported = errors.New("clocks cannot be skewed here")

// Probe starts a child, skews its clock and ends it. It returns nil if that works, and otherwise an error that wraps
// ErrUnsupported.
func Probe() error { return probe() }

// Set shifts the wall clock of a process, of the process group that it leads, and of all their descendants. Children
// born during the call or later have the same offset. A positive offset puts the clock ahead. The first call stops
// each process for some milliseconds; later calls do not. A process that was stopped before stays stopped.
//
// An error that wraps os.ErrProcessDone means that pid does not exist, or that it ended during the call. After any
// other error some processes may be skewed: call Undo.
func Set(pid int, offset time.Duration) error { return set(pid, offset) }

// Offset returns what is added to the wall clock of the process pid. patched reports whether its clock goes through
// the shim.
func Offset(pid int) (offset time.Duration, patched bool, err error) { return readOffset(pid) }

// Undo gives the processes that Set would shift their true clock back. The caller need not know which were shifted,
// or by how much. Processes that are not skewed, or have ended, are no error.
func Undo(pid int) error { return undo(pid) }
