// Package clockskew shifts the wall clock of a running process and of all its descendants, as they read it: the clocks
// CLOCK_REALTIME and CLOCK_REALTIME_COARSE, gettimeofday and time. CLOCK_MONOTONIC, and every other clock, stays true.
//
// Programs read these clocks without entering the kernel, in code that the kernel maps into every process (the vDSO). A
// small shim is written into the unused end of that mapping, and the functions' entries are made to jump to it. The
// target needs no preparation and is not restarted; whoever may debug a process may skew it, so no root for one's own
// children (where Yama's ptrace_scope is 1, only for them).
//
// What does not see the skew: a direct system call, absolute waits inside the kernel (pthread_cond_timedwait,
// timer_settime with TIMER_ABSTIME), files' times, and a process that called exec since: set the offset again.
//
// It works on linux/amd64. Calls for one family of processes must not overlap, neither with each other nor with calls
// that stop or continue it.
package clockskew

import (
	"errors"
	"time"
)

// ErrUnsupported is why clocks cannot be skewed on this system at all; the error that wraps it has the reason.
var ErrUnsupported = errors.New("clocks cannot be skewed here")

// Probe skews a child of its own that it ends again, and returns nil, or why clocks cannot be skewed here, which is
// always ErrUnsupported.
func Probe() error { return probe() }

// Set shifts the wall clock of a process, of those of the group that it leads, and of the descendants of all of them,
// also of those born while it works. Children that are born later inherit the offset. A positive offset puts the clock
// ahead. The first call stops each process for some milliseconds, a later one does not; a process that was stopped
// before stays stopped.
//
// An error that wraps os.ErrProcessDone means that pid does not exist, or ended meanwhile. After any other error some of
// the processes may be skewed and some not: call Undo.
func Set(pid int, offset time.Duration) error { return set(pid, offset) }

// Offset is what is added to the wall clock of the process pid; patched tells whether it passes through the shim at all.
func Offset(pid int) (offset time.Duration, patched bool, err error) { return readOffset(pid) }

// Undo gives all processes of which Set speaks their true clock back. It needs no knowledge of what was set, and whom.
// Processes that are not skewed, or ended meanwhile, are no error.
func Undo(pid int) error { return undo(pid) }
