//go:build unix

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// openFilesLimit is how many files a process may have open. Go has raised the soft limit to the hard one.
func openFilesLimit() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("ask how many files a process may open: %w", err)
	}
	return uint64(limit.Cur), nil
}
