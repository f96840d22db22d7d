package clocks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// asOwner calls change and, if that may not touch the process, again as the process's own user: root may become
// anybody, but in a container that withholds CAP_SYS_PTRACE it may not debug anybody else's processes.
func asOwner(pid int, change func(pid int) (bool, error)) (changed bool, err error) {
	changed, err = change(pid)
	if !errors.Is(err, os.ErrPermission) || os.Geteuid() != 0 {
		return changed, err
	}
	info, statErr := os.Stat(filepath.Join("/proc", strconv.Itoa(pid)))
	if statErr != nil {
		return changed, errors.Join(err, statErr)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return changed, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Never unlocked, the thread, of which alone bare system calls change the user, ends with this goroutine.
		runtime.LockOSThread()
		const unchanged = ^uintptr(0)
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, unchanged, uintptr(owner.Gid), unchanged); errno != 0 {
			err = fmt.Errorf("become group %d to skew its process %d: %w", owner.Gid, pid, errno)
			return
		}
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, unchanged, uintptr(owner.Uid), unchanged); errno != 0 {
			err = fmt.Errorf("become user %d to skew its process %d: %w", owner.Uid, pid, errno)
			return
		}
		changed, err = change(pid)
	}()
	<-done
	return changed, err
}
