package workload

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// stopHere stops this process. The signal goes to this very thread, which so runs nothing more before it stops: sent to
// the process, another thread might take it, and the write that shall come after the stop might come before. The
// coordinator sees it and stops the rest of the group.
func stopHere() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP); err != nil {
		return fmt.Errorf("stop the client: %w", err)
	}
	return nil
}
