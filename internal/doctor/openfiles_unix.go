//go:build unix

package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// openFiles reads the limit of this process, which Go raised to the hard limit as it started; a run's own
// processes inherit the right to do the same.
func openFiles() Check {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return Check{Name: "open files", State: Warning, Detail: fmt.Sprintf("the limit cannot be read: %v", err)}
	}
	return openFilesCheck(uint64(limit.Cur))
}
