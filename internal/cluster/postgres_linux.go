package cluster

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/internal/agent"
)

// removeSharedMemory marks a System V segment of the user for removal at its last detach; no user: of this one.
func removeSharedMemory(id int, user *agent.User) error {
	done := make(chan error, 1)
	go func() {
		if user != nil {
			// The owner may, and root may not in a container that withholds CAP_SYS_ADMIN. The bare system call changes
			// this thread alone (unix.Setresuid changes all); never unlocked, the thread ends with this goroutine.
			runtime.LockOSThread()
			const unchanged = ^uintptr(0)
			if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, unchanged, uintptr(user.UID), unchanged); errno != 0 {
				done <- fmt.Errorf("become user %d to remove shared memory segment %d: %w", user.UID, id, errno)
				return
			}
		}
		if _, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil); err != nil {
			done <- fmt.Errorf("remove shared memory segment %d: %w", id, err)
			return
		}
		done <- nil
	}()
	return <-done
}
